/** A dump restored into another database or server, with a rebuild in each state, and a standby. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { withDatabase } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { findFullPostgres } from './installed.js';
import { checkOutcome, doMainJob, makeShop, type Outcome, runPacked } from './main-job.js';
import { describeRows } from './row.js';
import { administer, type DatabasePlace, notInstalled, startDurable, withNewDatabase } from './servers.js';

allowMoreTime('servers are started and copied, and commands are processes');

/** It has pg_dump, pg_restore and pg_basebackup. */
const full = findFullPostgres();
const lacks = full === undefined ? notInstalled('a Postgres with pg_dump and pg_basebackup') : undefined;

let older: PostgresServer;
let newest: PostgresServer;
beforeAll(async () => {
  if (full === undefined) return;
  older = await startDurable({ binaries: full });
  newest = await startDurable({});
});
afterAll(async () => {
  await older?.stop();
  await newest?.stop();
});

const tool = (name: string, ...args: readonly string[]) =>
  execFileSync(join(full ?? '', name), args, { stdio: 'pipe' });

type Evstore = (argv: string, outcome?: Outcome) => Promise<string>;

function evstoreAt(url: string, cwd: string): Evstore {
  return async (argv, outcome = 'works') => {
    const result = await runPacked(argv.split(' '), { url, cwd });
    checkOutcome(argv, result, outcome);
    return result.stdout;
  };
}

/** What the store had when it was dumped. */
interface Left {
  readonly name: string;
  /** The commands that made it so. */
  readonly made: readonly string[];
  /** What the user runs after the restore: each command works. */
  readonly next: readonly string[];
}

const left: readonly Left[] = [
  { name: 'a kept old table', made: ['rebuild order_totals --yes'], next: ['rollback order_totals --yes'] },
  {
    name: 'a kept old table that is not needed any more',
    made: ['rebuild order_totals --yes --keep-old 0s'],
    next: ['gc --yes'],
  },
  { name: 'a rebuild that is ready', made: ['rebuild order_totals --no-swap'], next: ['swap order_totals --yes'] },
  {
    name: 'a rebuild that is ready and is dropped',
    made: ['rebuild order_totals --no-swap'],
    next: ['abort order_totals --yes'],
  },
  {
    name: 'a rebuild that is ready and is begun once more',
    made: ['rebuild order_totals --no-swap'],
    next: ['rebuild order_totals --restart --yes'],
  },
];

async function restore(from: DatabasePlace, server: PostgresServer, work: (place: DatabasePlace) => Promise<void>) {
  const dump = join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', `${from.database}.dump`);
  tool('pg_dump', '--format=custom', '--file', dump, '--dbname', from.url);
  try {
    await withNewDatabase(server, '', async (place) => {
      tool('pg_restore', '--exit-on-error', '--dbname', place.url, dump);
      await work(place);
    });
  } finally {
    rmSync(dump);
  }
}

async function checkRestored({ made, next }: Left, server: PostgresServer): Promise<void> {
  const cwd = makeShop('Zürich');
  await withNewDatabase(older, '', async (from) => {
    const before = evstoreAt(from.url, cwd);
    for (const argv of ['init --no-config', 'import orders.ndjson', 'run --once', ...made]) await before(argv);
    await restore(from, server, async ({ url, look }) => {
      const evstore = evstoreAt(url, cwd);
      for (const argv of next) await evstore(argv);
      await evstore('append Order-1 --type OrderSent');
      await evstore('run --once');
      await evstore('rebuild order_totals --yes --verify full');
      await evstore('lag --max-lag 0');
      await evstore('verify');
      await evstore('doctor');
      expect(await look("select events from order_totals where order_id = 'Order-1'")).toEqual([{ events: 4 }]);
      expect(await look('select count(*)::int as rows from order_totals')).toEqual([{ rows: 20 }]);
    });
  });
}

const standby: Outcome = { exit: 10, says: 'standby' };

describeRows('a store', [
  ...left.map((what) => ({
    name: `dumped and restored into another database, with ${what.name}`,
    expected: `${what.next.join(', ')} and all that follows works`,
    lacks,
    run: () => checkRestored(what, older),
  })),
  ...left.map((what) => ({
    name: `dumped and restored into the newest version, with ${what.name}`,
    expected: `${what.next.join(', ')} and all that follows works`,
    lacks,
    run: () => checkRestored(what, newest),
  })),
  {
    name: 'dumped and restored after the main job',
    expected: 'the main job works on the restored store',
    lacks,
    run: () =>
      withNewDatabase(older, '', async (from) => {
        checkOutcome(
          'init',
          await runPacked(['init', '--no-config'], { url: from.url, cwd: makeShop('Zürich') }),
          'works',
        );
        await restore(from, newest, async (place) => void (await doMainJob(place)));
      }),
  },
  {
    name: 'on a standby made by pg_basebackup',
    expected:
      'a stream can be read; what needs the order of the log ends with E_UNSAFE_STORE; after a failover all works',
    lacks,
    run: () => withNewDatabase(older, '', ({ url, database, raw }) => onStandby(url, database, raw)),
  },
]);

async function onStandby(url: string, database: string, raw: DatabasePlace['raw']): Promise<void> {
  const cwd = makeShop('Zürich');
  const primary = evstoreAt(url, cwd);
  for (const argv of ['init --no-config', 'import orders.ndjson', 'run --once']) await primary(argv);
  const follower = await startDurable({
    binaries: full,
    prepare: (data, account) => {
      rmSync(data, { recursive: true });
      const args = ['--pgdata', data, '--write-recovery-conf', '--checkpoint=fast', '--dbname', older.url];
      execFileSync(join(full ?? '', 'pg_basebackup'), args, { ...account, cwd: join(data, '..'), stdio: 'pipe' });
      expect(existsSync(join(data, 'standby.signal'))).toBe(true);
    },
  });
  try {
    const evstore = evstoreAt(withDatabase(follower.url, database), cwd);
    const readOnly: Outcome = { exit: 3, says: 'E_READ_ONLY' };
    expect((await evstore('read Order-1')).trim().split('\n')).toHaveLength(3);
    await evstore('streams');
    await evstore('saga list');
    await evstore('projections');
    for (const argv of ['read', 'tail --no-follow', 'export', 'lag']) await evstore(argv, standby);
    expect(await evstore('verify')).toContain('this is a standby');
    await evstore('append Order-1 --type OrderSent', readOnly);
    await evstore('import orders.ndjson --source again', readOnly);
    for (const argv of ['run --once', 'rebuild order_totals --yes']) await evstore(argv, standby);
    expect(await evstore('doctor')).toContain('this is a standby');
    await administer(older, 'select pg_switch_wal()');
    expect(await raw.query('select count(*)::int as events from events')).toEqual([{ events: 60 }]);
    await administer(follower, 'select pg_promote()');
    await evstore('append Order-1 --type OrderSent');
    await evstore('run --once');
    await evstore('rebuild order_totals --yes --verify full');
    await evstore('verify');
    await evstore('doctor');
  } finally {
    await follower.stop();
  }
}
