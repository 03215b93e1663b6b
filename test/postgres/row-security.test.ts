/** Row-level security on events: an account that sees a part of the log is refused by name, and changes nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { type TestStore, withTestStore } from '../support/engines.js';

const role = inject('databasePrefix').replace(/^evstore_test_/, 'rls');
const projection = `export default {
  kind: 'table',
  name: 'order_total',
  version: 1,
  table: { columns: { orderId: 'text', events: 'integer' }, key: 'orderId' },
  on: { OrderPlaced: (row) => ({ events: (row?.events ?? 0) + 1 }) },
};
`;

/** Gives the body a role that has every privilege, and sees no event of others. */
async function withRole(
  { raw, url, store }: TestStore,
  body: (evstore: (...argv: readonly string[]) => ReturnType<typeof runCli>) => Promise<void>,
): Promise<void> {
  const cwd = makeFolder();
  writeFileSync(join(cwd, 'order-total.mjs'), projection);
  writeFileSync(join(cwd, 'events.ndjson'), '{"streamId":"Order-1","type":"OrderPlaced","data":{}}\n');
  await raw.query(`create role ${role} login password 'x'`);
  try {
    for (let n = 1; n <= 3; n++) {
      const event = { id: crypto.randomUUID(), type: 'OrderPlaced', schemaVersion: 1, data: '{}', metadata: '{}' };
      await store.log.append(`Order-${n}`, [event], 'any');
    }
    const all = 'grant all on all tables in schema public to ROLE; grant all on all sequences in schema public to ROLE';
    await raw.query(`${all}; grant create on schema public to ROLE`.replaceAll('ROLE', role));
    expect((await runCli(['run', '--once', '--projections', '*.mjs', '--store', url], { cwd })).code).toBe(0);
    await raw.query(`alter table order_total owner to ${role}; alter table events enable row level security`);
    await raw.query(`create policy mine on events using (stream_id = 'Order-0') with check (true)`);
    const limited = new URL(url);
    limited.username = role;
    limited.password = 'x';
    await body((...argv) => runCli([...argv, '--store', limited.href], { cwd }));
  } finally {
    await raw.query(`drop owned by ${role} cascade; drop role ${role}`);
  }
}

test('every command that an account under row-level security runs is refused by name', () =>
  withTestStore('postgres', (store) =>
    withRole(store, async (evstore) => {
      const commands = [
        ['append', 'Order-1', '--type', 'OrderPlaced', '--data', '{}'],
        ['import', 'events.ndjson'],
        ['read', 'Order-1'],
        ['lag'],
        ['verify'],
        ['run', '--once', '--projections', '*.mjs'],
        ['rebuild', 'order_total', '--projections', '*.mjs'],
      ];
      for (const argv of commands) {
        const { code, stderr } = await evstore(...argv);
        expect(stderr, argv.join(' ')).toContain('row-level security hides rows of the store from this account');
        expect(stderr).toContain('E_UNSAFE_STORE');
        expect(code).not.toBe(0);
      }
      expect(await store.raw.query('select count(*)::int from order_total')).toEqual([{ count: 3 }]);
      const doctor = await evstore('doctor');
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toContain(`psql -c 'alter role "${role}" bypassrls'`);
      await store.raw.query(`alter role ${role} bypassrls`);
      expect((await evstore('rebuild', 'order_total', '--projections', '*.mjs')).code).toBe(0);
    }),
  ));
