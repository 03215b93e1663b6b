/** Accounts: the roles of `init --roles` together and each alone, a role with odd settings, one that sees some rows only. */
import { afterAll, beforeAll } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { checkOutcome, doMainJob, makeShop, type Outcome, runPacked, type StepName } from './main-job.js';
import { oddSettings } from './odd-settings.js';
import { describeRows, type Row } from './row.js';
import { administer, type DatabasePlace, startDurable, urlOf, withNewDatabase } from './servers.js';

allowMoreTime('the main job is many processes');

const roles = ['owner', 'app', 'runner', 'reader'] as const;
type Role = (typeof roles)[number];

let server: PostgresServer;
beforeAll(async () => {
  server = await startDurable({});
});
afterAll(() => server.stop());

/** Who does which step of the main job. */
function roleOf(step: StepName): Role {
  if (['init', 'verify', 'doctor'].includes(step)) return 'owner';
  if (['lag', 'read', 'read a stream', 'tail', 'sagas'].includes(step)) return 'reader';
  if (['append', 'append a batch', 'conflict', 'import', 'import again', 'export'].includes(step)) return 'app';
  return 'runner';
}

/** A store of the owner, with the roles of `init --roles`. */
async function withRoles(work: (place: DatabasePlace, cwd: string) => Promise<unknown>): Promise<void> {
  await withNewDatabase(server, '', async (place) => {
    const cwd = makeShop('Zürich');
    try {
      checkOutcome('init', await runPacked(['init', '--no-config'], { url: place.url, cwd }), 'works');
      const { stdout } = await runPacked(['init', '--roles', 'shop'], { url: place.url, cwd });
      await place.raw.query(stdout);
      await work(place, cwd);
    } finally {
      for (const role of roles) await place.raw.query(`drop owned by shop_${role} cascade`);
      for (const role of roles) await place.raw.query(`drop role shop_${role}`);
    }
  });
}

const denied: Outcome = { exit: 3, says: 'E_PERMISSION' };
const noSwap: Outcome = { exit: 6, says: 'E_NOT_FOUND' };

/** What each role may do on a store whose projections have run. */
const commands: readonly (readonly [argv: string, outcomes: Readonly<Record<Role, Outcome>>])[] = [
  ['init --no-config', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['migrate assert', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['append Order-1 --type OrderSent', { owner: 'works', app: 'works', runner: denied, reader: denied }],
  ['import orders.ndjson', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['read -n 1', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['tail --no-follow', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['streams', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['export --to out.ndjson', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['run order_totals --once', { owner: denied, app: denied, runner: 'works', reader: denied }],
  ['rebuild order_totals --yes', { owner: denied, app: denied, runner: 'works', reader: denied }],
  ['rollback order_totals --yes', { owner: noSwap, app: noSwap, runner: 'works', reader: noSwap }],
  ['saga list', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['parked list', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['checkpoints list', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['lag', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['verify', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
  ['doctor', { owner: 'works', app: 'works', runner: 'works', reader: 'works' }],
];

const alone: readonly Row[] = roles.map((role) => ({
  name: `the ${role} alone`,
  expected: `${commands.filter(([, outcomes]) => outcomes[role] === 'works').length} of ${commands.length} commands work, the others end with E_PERMISSION`,
  run: () =>
    withRoles(async ({ url }, cwd) => {
      for (const [by, step] of [
        ['app', 'import orders.ndjson'],
        ['runner', 'run --once'],
      ] as const) {
        checkOutcome(step, await runPacked(step.split(' '), { url: urlOf(url, `shop_${by}`), cwd }), 'works');
      }
      for (const [argv, outcomes] of commands) {
        const result = await runPacked(argv.split(' '), { url: urlOf(url, `shop_${role}`), cwd });
        checkOutcome(`${argv} as ${role}`, result, outcomes[role]);
      }
    }),
}));

describeRows('as', [
  {
    name: 'owner, app, runner and reader, each its part',
    expected: 'the main job works',
    run: () =>
      withRoles(async (place) => {
        // The runner runs a saga, which appends.
        await place.raw.query('grant shop_app to shop_runner');
        await doMainJob({ ...place, urlOf: (step) => urlOf(place.url, `shop_${roleOf(step)}`) });
      }),
  },
  ...alone,
  {
    name: 'a role with every odd setting',
    expected: 'the main job works',
    run: () =>
      withNewDatabase(server, '', async (place) => {
        await administer(server, 'create role odd login superuser');
        for (const [name, value] of Object.entries(oddSettings)) {
          await administer(server, `alter role odd set ${name} = ${value}`);
        }
        try {
          await doMainJob({ ...place, url: urlOf(place.url, 'odd') });
        } finally {
          await place.raw.query('drop owned by odd cascade; drop role odd');
        }
      }),
  },
  {
    name: 'a role from which row-level security hides rows',
    expected: 'commands that read or write events end with E_UNSAFE_STORE, and no row changes',
    run: () =>
      withRoles(async ({ url, raw }, cwd) => {
        for (const argv of [
          ['import', 'orders.ndjson'],
          ['run', '--once'],
        ]) {
          checkOutcome(argv.join(' '), await runPacked(argv, { url, cwd }), 'works');
        }
        await raw.query(`alter table events enable row level security;
          create policy own_rows on events using (stream_id = 'Order-1')`);
        const before = await raw.query('select * from order_totals order by order_id');
        const unsafe: Outcome = { exit: 10, says: 'E_UNSAFE_STORE' };
        for (const [argv, outcome] of [
          ['read', unsafe],
          ['tail --no-follow', unsafe],
          ['export', unsafe],
          ['import orders.ndjson', unsafe],
          ['run --once', unsafe],
          ['rebuild order_totals --yes', unsafe],
          ['lag', unsafe],
          ['verify', unsafe],
          ['doctor', { exit: 1, says: 'row-level security' }],
        ] as const) {
          const role = argv.startsWith('import') ? 'shop_app' : 'shop_runner';
          checkOutcome(argv, await runPacked(argv.split(' '), { url: urlOf(url, role), cwd }), outcome);
        }
        const after = await raw.query('select * from order_totals order by order_id');
        if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error('rows of order_totals have changed');
      }),
  },
]);
