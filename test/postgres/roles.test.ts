/** The roles of `evstore init --roles`: each does its work through evstore, and nothing else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openStore } from '../../src/library/event-store.js';
import { openStoreAt } from '../../src/store/open.js';
import { makeFolder, runCli } from '../support/cli.js';
import { connectPostgres, createTestStore, type Raw, type TestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvent } from '../support/events.js';

const prefix = inject('databasePrefix').replace(/^evstore_test_/, 'r');
const roles = ['owner', 'app', 'runner', 'reader'] as const;
type Role = (typeof roles)[number];

const projection = `export default {
  kind: 'table',
  name: 'order_total',
  version: 1,
  table: { columns: { orderId: 'text', events: 'integer' }, key: 'orderId' },
  on: { OrderPlaced: (row) => ({ events: (row?.events ?? 0) + 1 }) },
};
`;

let store: TestStore;
let folder: string;

beforeAll(async () => {
  store = await createTestStore('postgres');
  folder = makeFolder();
  writeFileSync(join(folder, 'order-total.mjs'), projection);
  await grant();
  for (const role of roles) await store.raw.query(`alter role ${prefix}_${role} password 'of-${role}'`);
});

afterAll(async () => {
  for (const role of roles) await store.raw.query(`drop owned by ${prefix}_${role} cascade`);
  for (const role of roles) await store.raw.query(`drop role ${prefix}_${role}`);
  await store.cleanup();
});

async function grant(): Promise<void> {
  const { code, stdout } = await runCli(['init', '--roles', prefix, '--store', store.url]);
  expect(code).toBe(0);
  await store.raw.query(stdout);
}

function urlOf(role: Role): string {
  const url = new URL(store.url);
  url.username = `${prefix}_${role}`;
  url.password = `of-${role}`;
  return url.href;
}

const evstore = (role: Role, ...argv: readonly string[]) => runCli([...argv, '--store', urlOf(role)], { cwd: folder });
const append1 = (role: Role) => evstore(role, 'append', 'Order-1', '--type', 'OrderPlaced', '--data', '{"total":1}');
const run = (role: Role) => evstore(role, 'run', '--once', '--projections', '*.mjs');

async function as<Result>(role: Role, work: (raw: Raw) => Promise<Result>): Promise<Result> {
  const raw = await connectPostgres(urlOf(role));
  try {
    return await work(raw);
  } finally {
    await raw.close();
  }
}

async function refused(role: Role, statements: readonly string[]): Promise<void> {
  await as(role, async (raw) => {
    for (const statement of statements) expect((await failureOf(raw.query(statement)))?.code, statement).toBe('42501');
  });
}

const changes = [
  "update events set event_data = '{}'",
  'delete from events',
  'truncate events',
  'alter table events disable trigger all',
  "select nextval('events_global_position_seq')",
  "select setval('events_global_position_seq', 1)",
  "create or replace function evstore_safe_head(bigint) returns bigint language sql as 'select 1::bigint'",
  'update evstore_meta set tag = 1',
  'drop table snapshots',
];

const explicit = `insert into events (global_position, id, stream_id, stream_type, event_type, event_data, version)
  overriding system value values (7, gen_random_uuid(), 'Forged-1', 'Forged', 'Forged', '{}', 1)`;

describe('app', () => {
  test('appends, imports, reads, and follows', async () => {
    expect(await append1('app')).toMatchObject({ code: 0 });
    const line = '{"streamId":"Order-2","type":"OrderPlaced","data":{"total":2}}\n';
    const argv = ['import', '-', '--store', urlOf('app')];
    expect(await runCli(argv, { stdin: line })).toMatchObject({ code: 0 });
    expect((await evstore('app', 'read', '-q')).stdout.trim().split('\n')).toHaveLength(2);
    expect(await evstore('app', 'tail', '--no-follow')).toMatchObject({ code: 0 });
    expect(await evstore('app', 'lag', '--json')).toMatchObject({ code: 0 });
  });

  test('keeps the checkpoint of a subscription of its own, and a snapshot', () =>
    as('app', async (raw) => {
      await raw.query(`insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 1)
        on conflict (subscription_id) do update set last_position = excluded.last_position, updated_at = now()`);
      await raw.query(`insert into snapshots (stream_id, snapshot_data, version) values ('Order-1', '{}', 1)`);
      await raw.query('update snapshots set version = 2');
      await raw.query('delete from snapshots');
    }));

  test('O9: may not choose one, nor change what has happened, nor make tables', async () => {
    await refused('app', [explicit, 'copy events (global_position) from stdin', ...changes]);
    await refused('app', [
      'create table mine ()',
      'update subscription_checkpoints set token = 0',
      'delete from subscription_checkpoints',
    ]);
    const { code, stderr } = await run('app');
    expect(code).toBe(3);
    expect(stderr).toContain('E_PERMISSION');
    expect(stderr).toContain('next: evstore doctor --for run');
  });

  test('is told by doctor what a command needs that it may not do', async () => {
    const { code, stdout } = await evstore('app', 'doctor', '--for', 'run', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).findings).toContainEqual(
      expect.objectContaining({
        kind: 'privileges',
        severity: 'error',
        detail: 'may not run projections, which evstore run needs',
        evidence: expect.stringContaining('it may read and append'),
      }),
    );
    const forAppend = JSON.parse((await evstore('app', 'doctor', '--for', 'append', '--json')).stdout).findings;
    const privileges = forAppend.filter(({ kind }: { kind: string }) => kind === 'privileges');
    expect(privileges).toMatchObject([{ severity: 'note', detail: 'may not run projections' }]);
  });
});

describe('runner', () => {
  test('is enough for a program that keeps its position in the store', async () => {
    const library = await openStore(urlOf('runner'));
    try {
      for await (const batch of library.subscribe({ name: 'mails' })) {
        await batch.acknowledge();
        if (batch.caughtUp) break;
      }
    } finally {
      await library.close();
    }
    const checkpoints = await store.store.projections.checkpoints();
    expect(checkpoints.find(({ subscriptionId }) => subscriptionId === 'subscription:mails')?.position).toBeGreaterThan(
      0,
    );
  });

  test('runs, rebuilds, swaps, rolls back and collects what is left', async () => {
    expect(await run('runner')).toMatchObject({ code: 0 });
    const code = ['--projections', '*.mjs', '--yes'];
    expect(await evstore('runner', 'rebuild', 'order_total', '--keep-old', '0s', ...code)).toMatchObject({ code: 0 });
    expect(await evstore('runner', 'rollback', 'order_total', ...code)).toMatchObject({ code: 0 });
    expect(await evstore('runner', 'abort', 'order_total', '--yes')).toMatchObject({ code: 0 });
    expect(await evstore('runner', 'rebuild', 'order_total', '--keep-old', '0s', ...code)).toMatchObject({ code: 0 });
    expect(await evstore('runner', 'gc', '--yes')).toMatchObject({ code: 0 });
    expect(await evstore('runner', 'checkpoints', 'reset', 'mailer', '--execute', '--yes')).toMatchObject({ code: 0 });
    expect(await evstore('runner', 'lag', '--max-lag', '10')).toMatchObject({ code: 0 });
  });

  test('is told before a rebuild whose view it could not make again', async () => {
    await store.raw.query('create view report as select * from order_total');
    try {
      const code = ['--projections', '*.mjs', '--yes'];
      const { code: exit, stderr } = await evstore('runner', 'rebuild', 'order_total', ...code);
      expect({ exit, stderr }).toMatchObject({
        exit: 10,
        stderr: expect.stringContaining('report (of another owner)'),
      });
    } finally {
      await store.raw.query('drop view report');
    }
  });

  test('does not append, and changes nothing that has happened', async () => {
    expect(await append1('runner')).toMatchObject({ code: 3, stderr: expect.stringContaining('E_PERMISSION') });
    await refused('runner', [explicit, ...changes]);
  });

  test('goes on with read models that somebody else made, once the script has run again', async () => {
    await store.raw.query(`alter table order_total owner to current_user`);
    await append(store.store, 'Order-3');
    expect(await run('runner')).toMatchObject({ code: 3 });
    await grant();
    expect(await run('runner')).toMatchObject({ code: 0 });
  });

  test('is told before a rebuild, a swap, a rollback, an abort and a gc of tables that it does not own, and the advice leads on', async () => {
    const code = ['--projections', '*.mjs', '--yes'];
    const runner = `${prefix}_runner`;
    expect(await run('runner')).toMatchObject({ code: 0 });
    const journal = () => store.raw.query('select id, state, tables from evstore_rebuilds order by id');
    /** Refused with nothing written, and done after the owner ran what is advised. */
    const refusedThenDone = async (table: string, argv: readonly string[], what: string) => {
      await store.raw.query(`alter table ${table} owner to ${prefix}_owner`);
      await store.raw.query(`grant select, insert, update, delete on ${table} to ${runner}`);
      const before = await journal();
      const { code: exit, stderr } = await evstore('runner', ...argv, ...code);
      expect({ exit, stderr }).toMatchObject({ exit: 3, stderr: expect.stringContaining('E_PERMISSION') });
      expect(stderr).toContain(`the ${what} of order_total needs to change table public.${table}`);
      expect(stderr).toContain(`which ${prefix}_owner owns`);
      expect(stderr).toContain(`account ${runner} may not`);
      expect(await journal()).toEqual(before);
      expect(stderr).toMatch(/next: psql postgres:\/\/127\.0\.0\.1:\S+ -U \w+ -c 'alter table /);
      const [, change = ''] = / -c '(.*)'/.exec(stderr) ?? [];
      await store.raw.query(change);
      const done = await evstore('runner', ...argv, ...code);
      expect(done, done.stderr + change).toMatchObject({ code: 0 });
    };
    await refusedThenDone('order_total', ['rebuild', 'order_total', '--no-swap'], 'rebuild');
    const [{ built } = { built: '' }] = await store.raw.query(
      `select tables -> 0 ->> 'built' as built from evstore_rebuilds where state = 'ready'`,
    );
    await refusedThenDone(String(built), ['swap', 'order_total'], 'swap');
    await refusedThenDone('order_total', ['rollback', 'order_total'], 'rollback');
    await refusedThenDone(String(built), ['abort', 'order_total'], 'abort of the rebuild');
    expect(await evstore('runner', 'rebuild', 'order_total', ...code)).toMatchObject({ code: 0 });
    const [{ old } = { old: '' }] = await store.raw.query(
      `select tables -> 0 ->> 'old' as old from evstore_rebuilds where state = 'swapped'`,
    );
    await refusedThenDone(String(old), ['gc', '--now'], 'drop of the old tables');
  });

  test('is told before a rebuild whose foreign key, function and policy of other owners it could not change', async () => {
    await store.raw.query(`create table notes (order_id text references order_total, remark text);
      create function orders() returns bigint language sql begin atomic select count(*) from order_total; end;
      alter table notes enable row level security;
      create policy known on notes using (exists (select from order_total))`);
    try {
      const before = await store.raw.query('select count(*) from evstore_rebuilds');
      const { code: exit, stderr } = await evstore(
        'runner',
        'rebuild',
        'order_total',
        '--projections',
        '*.mjs',
        '--yes',
      );
      expect({ exit, stderr }).toMatchObject({ exit: 3, stderr: expect.stringContaining('E_PERMISSION') });
      for (const name of [
        'notes_order_id_fkey on public.notes',
        'policy known on public.notes',
        'function public.orders()',
      ]) {
        expect(stderr).toContain(name);
      }
      expect(await store.raw.query('select count(*) from evstore_rebuilds')).toEqual(before);
    } finally {
      await store.raw.query('drop function orders; drop table notes');
    }
  });
});

describe('reader', () => {
  test('reads the log, read models, lag, and what verify and doctor say', async () => {
    for (const argv of [['read'], ['tail', '--no-follow'], ['streams'], ['lag'], ['checkpoints'], ['verify']]) {
      expect({ argv, ...(await evstore('reader', ...argv)) }).toMatchObject({ argv, code: 0 });
    }
    const { stdout } = await evstore('reader', 'doctor', '--json');
    const { facts, findings } = JSON.parse(stdout);
    expect(facts).toContainEqual({ name: 'may', value: 'read' });
    const ours = findings.filter(({ subject }: { subject: string }) => subject === `${prefix}_reader`);
    expect(ours).toMatchObject([{ severity: 'note', kind: 'privileges' }]);
    await as('reader', async (raw) => expect(await raw.query('select * from order_total')).not.toEqual([]));
  });

  test('is enough for a program that opens the store read-only', async () => {
    const library = await openStore(urlOf('reader'), { readOnly: true });
    try {
      let events = 0;
      for await (const _ of library.readAll()) events += 1;
      expect(events).toBeGreaterThan(0);
      await expect(library.append('Order-1', { type: 'OrderPaid', data: {} })).rejects.toMatchObject({
        code: 'E_READ_ONLY',
      });
    } finally {
      await library.close();
    }
  });

  test('writes nothing', async () => {
    expect(await append1('reader')).toMatchObject({ code: 3 });
    expect(await run('reader')).toMatchObject({ code: 3 });
    const moved = await evstore('reader', 'checkpoints', 'reset', 'mailer', '--execute', '--yes');
    expect(moved).toMatchObject({ code: 3 });
    await refused('reader', [explicit, ...changes, 'delete from subscription_checkpoints', 'create table mine ()']);
  });
});

describe('owner', () => {
  test('upgrades the schema, and even it cannot change an event without undoing a guard first', async () => {
    expect(await evstore('owner', 'migrate', 'up')).toMatchObject({ code: 0 });
    await as('owner', async (raw) => {
      expect((await failureOf(raw.query('delete from events')))?.code).toBe('EV001');
    });
  });
});

test('what each may do is what doctor says', async () => {
  const may = async (role: Role) => {
    const { facts } = JSON.parse((await evstore(role, 'doctor', '--json')).stdout);
    return facts.find(({ name }: { name: string }) => name === 'may')?.value;
  };
  expect(await Promise.all(roles.map(may))).toEqual([
    'read, append, run projections, change or forge events',
    'read, append',
    'read, run projections',
    'read',
  ]);
});

test('an account without any privilege is told so, and so is doctor', async () => {
  const nobody = `${prefix}_nobody`;
  await store.raw.query(`create role ${nobody} login password 'x'`);
  try {
    const url = new URL(store.url);
    url.username = nobody;
    url.password = 'x';
    const opened = await openStoreAt(url.href);
    await errorOf('E_PERMISSION', opened.log.append('Order-1', [makeEvent()], 'any'));
    await opened.close();
    const { code, stdout } = await runCli(['doctor', '--json', '--store', url.href]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).findings).toContainEqual(
      expect.objectContaining({ kind: 'privileges', severity: 'error', subject: nobody }),
    );
  } finally {
    await store.raw.query(`drop role ${nobody}`);
  }
});

test('in another schema, and run twice', async () => {
  const beside = await openStoreAt(store.url, { schema: 'be side' });
  await beside.schema.migrate();
  await beside.close();
  const { stdout } = await runCli(['init', '--roles', prefix, '--schema', 'be side', '--store', store.url]);
  await store.raw.query(stdout);
  await store.raw.query(stdout);
  const argv = ['append', 'Order-1', '--type', 'A', '--data', '{}', '--schema', 'be side', '--store', urlOf('app')];
  expect(await runCli(argv)).toMatchObject({ code: 0 });
});

test('refused: a prefix that is no name, and a store without accounts', async () => {
  expect(await runCli(['init', '--roles', 'a; drop', '--store', store.url])).toMatchObject({ code: 2 });
  expect(await runCli(['init', '--roles', '--store', 'sqlite:./x.db'])).toMatchObject({ code: 2, stdout: '' });
});
