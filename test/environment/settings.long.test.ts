/** Settings of a role change no result: the main job gives the same as for a role without any. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import { makeFolder, runCli } from '../support/cli.js';
import { type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { oddSettings as settings } from './odd-settings.js';

const role = inject('databasePrefix').replace(/^evstore_test_/, 'odd');

const projection = `export default {
  kind: 'table',
  name: 'order_list',
  version: 1,
  table: {
    columns: { orderId: 'text', note: 'text', at: 'timestamp', weight: 'real', price: 'numeric', paid: 'boolean', tags: 'json' },
    key: 'orderId',
  },
  on: {
    OrderPlaced: (_, { createdAt, data }) =>
      ({ note: data.note, at: createdAt, weight: data.weight, price: data.price, paid: data.paid, tags: data.tags }),
  },
};
`;
const sqlProjection = `import { sql } from 'evstore';
export default {
  kind: 'sql',
  name: 'order_sql',
  version: 1,
  tables: ['order_sql'],
  create: (t) => [sql\`create table \${t.order_sql} (id text primary key, note text, at text)\`],
  on: {
    OrderPlaced: ({ streamId, data, createdAt }, t) =>
      sql\`insert into \${t.order_sql} values (\${streamId}, \${data.note}, \${createdAt}::timestamptz::text)\`,
  },
};
`;

/** Operators of another schema that match better than those of the catalog, and are always true. */
const hostile = `
  create schema odd;
  create function odd.always(varchar, varchar) returns boolean language sql immutable as 'select true';
  create function odd.always(varchar, text) returns boolean language sql immutable as 'select true';
  create operator odd.= (leftarg = varchar, rightarg = varchar, function = odd.always);
  create operator odd.= (leftarg = varchar, rightarg = text, function = odd.always);
  grant usage on schema odd to ROLE`;

/** Does the main job with these settings, and returns all that can be seen of it. */
async function mainJob(chosen: readonly string[]): Promise<unknown> {
  return withTestStore('postgres', async ({ url, raw }: TestStore) => {
    await raw.query(`create role ${role} login superuser`);
    try {
      await raw.query(hostile.replace('ROLE', role));
      for (const name of chosen) await raw.query(`alter role ${role} set ${name} = ${settings[name]}`);
      const own = new URL(url);
      own.username = role;
      return await work(own.href);
    } finally {
      await raw.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });
}

async function work(url: string): Promise<unknown> {
  const cwd = makeFolder();
  writeFileSync(join(cwd, 'order-list.mjs'), projection);
  writeFileSync(join(cwd, 'order-sql.ts'), sqlProjection);
  const orders = ['Order-1', 'Order-2', 'Order-3'];
  const data = String.raw`{"note":null,"weight":0.1,"price":"1.10","paid":true,"tags":["ü","a\\b'\"",null]}`;
  const lines = orders.map((streamId) => `{"streamId":"${streamId}","type":"OrderPaid","data":${data}}\n`);
  writeFileSync(join(cwd, 'paid.ndjson'), lines.join(''));
  const seen: unknown[] = [];
  const evstore = async (...argv: readonly string[]) => {
    const { code, stdout, stderr } = await runCli([...argv, '--store', url], { cwd });
    expect(code, `${argv.join(' ')}: ${stderr}`).toBe(0);
    return stdout;
  };
  const store = await openStoreAt(url);
  try {
    const place = (note: string | null, createdAt?: string) =>
      makeEvent({
        data: data.replace('null', JSON.stringify(note)),
        ...(createdAt === undefined ? {} : { createdAt }),
      });
    const early = '2026-03-04T05:06:07.123456+02:00';
    for (const [index, streamId] of orders.entries()) {
      await append(store, streamId, [place(index === 0 ? 'NULL' : null, early)]);
      await append(store, streamId, [
        makeEvent({ type: 'OrderPacked', createdAt: early }),
        makeEvent({ type: 'OrderSent', metadata: '{"correlationId":"c"}' }),
      ]);
    }
    seen.push(await evstore('import', 'paid.ndjson', '-q'));
    const projections = ['--projections', '*.{mjs,ts}'];
    await evstore('run', '--once', ...projections);
    for (const table of ['order_list', 'order_sql']) seen.push(await selectAll(url, table));
    await evstore('rebuild', '--all', '--verify', 'full', ...projections);
    for (const table of ['order_list', 'order_sql']) seen.push(await selectAll(url, table));
    await evstore('rollback', 'order_list', '--yes', ...projections);
    await evstore('verify');
    await evstore('lag', '--max-lag', '0');
    for (const argv of [['Order-2'], ['--since', early, '--until', '2026-03-05'], ['--correlation-id', 'c']]) {
      seen.push((await evstore('read', ...argv, '-o', 'ndjson')).trim().split('\n').map(stable));
    }
    seen.push((await evstore('streams', '-o', 'ndjson')).trim().split('\n').map(stable));
    return seen;
  } finally {
    await store.close();
  }
}

async function selectAll(url: string, table: string): Promise<readonly string[]> {
  const store = await openStoreAt(url);
  try {
    return await store.projections.select(
      { parts: [{ kind: 'text', text: `select to_json(t)::text from public.${table} t order by 1` }] },
      100,
    );
  } finally {
    await store.close();
  }
}

/** Without what differs from run to run. */
function stable(line: string): unknown {
  const { id, createdAt, lastAt, ...rest } = JSON.parse(line);
  return String(createdAt).startsWith('2026-03') ? { ...rest, createdAt } : rest;
}

let usual: unknown;

beforeAll(async () => {
  usual = await mainJob([]);
});

test.each([
  ['every setting at once', Object.keys(settings)] as const,
  ...Object.keys(settings).map((name) => [name, [name]] as const),
])('the main job is the same with %s', async (_, names) => {
  expect(await mainJob(names)).toEqual(usual);
});

test('a statement time-out of the role ends no transaction of evstore', () =>
  withTestStore('postgres', async ({ url, raw }) => {
    await raw.query(`create role ${role} login superuser; alter role ${role} set statement_timeout = '50ms'`);
    const own = new URL(url);
    own.username = role;
    const store = await openStoreAt(own.href);
    try {
      const sleep = { parts: [{ kind: 'text', text: 'select pg_sleep(0.3)::text' } as const] };
      expect(await store.projections.select(sleep, 1)).toHaveLength(1);
    } finally {
      await store.close();
      await raw.query(`drop role ${role}`);
    }
  }));
