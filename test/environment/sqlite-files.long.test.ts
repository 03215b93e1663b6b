/** SQLite files in every condition that a user meets: read-only, replaced, restored, of another mode, in odd folders. */
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { unprivilegedAccount } from '../support/postgres-server.js';
import { connectSqlite } from '../support/raw.js';
import { until } from '../support/wait.js';
import { mayMount } from './installed.js';
import { checkOutcome, doMainJob, linesOf, makeShop, type Outcome, runPacked } from './main-job.js';
import { describeRows, type Row } from './row.js';
import { withSmallDisk } from './small-disk.js';

allowMoreTime('the main job is many processes');

/** Permissions do not hold back root. */
const account = unprivilegedAccount();
const noMount = mayMount() ? undefined : 'this account may not mount a disk: it takes root on Linux';
const noPermissions = process.platform === 'win32' ? 'Windows has other permissions' : undefined;
const readOnly: Outcome = { exit: 3, says: 'E_READ_ONLY' };

interface Shop {
  readonly cwd: string;
  readonly file: string;
  /** Runs a command on the file, as an account without privileges. */
  evstore(argv: string, outcome?: Outcome): Promise<string>;
}

/** A file that has events and read models. */
async function makeStore(file?: string): Promise<Shop> {
  const cwd = makeShop('Zürich');
  const folder = mkdtempSync(join(cwd, 'data-'));
  const path = file ?? join(folder, 'store.db');
  const evstore = async (argv: string, outcome: Outcome = 'works') => {
    const result = await runPacked(argv.split(' '), { url: `sqlite:${path}`, cwd, account });
    checkOutcome(argv, result, outcome);
    return result.stdout;
  };
  for (const each of [cwd, folder]) own(each);
  chmodSync(cwd, 0o755);
  for (const argv of ['init --no-config', 'import orders.ndjson', 'run --once']) await evstore(argv);
  return { cwd, file: path, evstore };
}

function own(path: string): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
}

async function checkReadOnly({ evstore }: Shop): Promise<void> {
  expect(linesOf(await evstore('read'))).toHaveLength(60);
  for (const argv of ['read Order-1', 'tail --no-follow', 'streams', 'export', 'lag', 'verify', 'doctor']) {
    await evstore(argv);
  }
  await evstore('append Order-1 --type OrderSent', readOnly);
  await evstore('import orders.ndjson --source again', readOnly);
  await evstore('rebuild order_totals --yes', readOnly);
}

async function checkWorks({ evstore }: Shop): Promise<void> {
  await evstore('append Order-1 --type OrderSent');
  await evstore('run --once');
  await evstore('rebuild order_totals --yes --verify full');
  await evstore('rollback order_totals --yes');
  await evstore('lag --max-lag 0');
  await evstore('verify');
  await evstore('doctor');
}

const odd: readonly Row[] = ['a folder/with blanks', 'Läden & Söhne', '📦 store', "it's; $(x) `y`", '-x'].map(
  (name) => ({
    name: `in ${name}`,
    expected: 'the main job works',
    run: async () => {
      const folder = join(mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', 'odd-')), name);
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${name.replaceAll('/', ' ')}.db`);
      const url = `sqlite:${file}`;
      const look = async (sql: string) => {
        const raw = connectSqlite(file);
        try {
          return await raw.query(sql);
        } finally {
          await raw.close();
        }
      };
      await doMainJob({ url, look, word: 'Łódź-订单-📦' });
    },
  }),
);

describeRows('a SQLite file', [
  {
    name: 'that is read-only',
    expected: 'it can be read; writes end with E_READ_ONLY',
    lacks: noPermissions,
    run: async () => {
      const store = await makeStore();
      chmodSync(store.file, 0o444);
      await checkReadOnly(store);
    },
  },
  {
    name: 'in a read-only folder',
    expected: 'it can be read; writes end with E_READ_ONLY',
    lacks: noPermissions,
    run: async () => {
      const store = await makeStore();
      chmodSync(join(store.file, '..'), 0o555);
      await checkReadOnly(store);
    },
  },
  {
    name: 'on a read-only disk',
    expected: 'it can be read; writes end with E_READ_ONLY',
    lacks: noMount,
    run: () =>
      withSmallDisk(16, async (disk) => {
        own(disk.folder);
        const store = await makeStore(join(disk.folder, 'store.db'));
        disk.makeReadOnly();
        await checkReadOnly(store);
      }),
  },
  {
    name: 'replaced under a running run',
    expected: 'run ends with E_DIVERGED, and the other store is left alone',
    run: async () => {
      const store = await makeStore();
      const other = await makeStore();
      await other.evstore('append Order-1 --type OrderSent');
      const raw = connectSqlite(store.file);
      const following = runPacked(['run'], { url: `sqlite:${store.file}`, cwd: store.cwd, account });
      const isRunning = async () =>
        (await raw.query('select 1 from subscription_checkpoints where owner is not null')).length > 0;
      await until(isRunning, 'run holds a lease');
      await raw.close();
      renameSync(other.file, store.file);
      checkOutcome('run', await following, { exit: 10, says: 'E_DIVERGED' });
      for (const suffix of ['-wal', '-shm']) rmSync(`${store.file}${suffix}`, { force: true });
      expect(JSON.parse(await store.evstore('lag order_totals --json')).projections).toMatchObject([{ lag: 1 }]);
      await checkWorks(store);
    },
  },
  {
    name: 'restored from a backup',
    expected: 'the main job goes on from the backup',
    run: async () => {
      const store = await makeStore();
      await store.evstore('rebuild order_totals --yes');
      const backup = `${store.file}.backup`;
      const database = new Database(store.file, { readonly: true });
      await database.backup(backup);
      database.close();
      await store.evstore('append Order-1 --type OrderSent');
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${store.file}${suffix}`, { force: true });
      copyFileSync(backup, store.file);
      own(store.file);
      await store.evstore('rollback order_totals --yes');
      await checkWorks(store);
    },
  },
  {
    name: 'made by VACUUM INTO, in journal mode delete',
    expected: 'readers are refused until doctor --fix journal, and then all works',
    run: async () => {
      const store = await makeStore();
      const database = new Database(store.file);
      database.exec(`vacuum into '${store.file}.copy'`);
      database.close();
      for (const suffix of ['-wal', '-shm']) rmSync(`${store.file}${suffix}`, { force: true });
      renameSync(`${store.file}.copy`, store.file);
      own(store.file);
      for (const argv of ['read', 'tail --no-follow', 'run --once']) {
        await store.evstore(argv, { exit: 10, says: 'doctor --fix journal' });
      }
      await store.evstore('doctor --fix journal');
      await checkWorks(store);
    },
  },
  ...odd,
]);
