/** Rebuilds that were dumped by pg_dump and restored, into the same version and into a newer one. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { connectPostgres, withDatabase } from '../support/raw.js';

allowMoreTime('it starts two servers, and dumps and restores databases');

let [source, newer]: PostgresServer[] = [];
let cwd: string;

beforeAll(async () => {
  [source, newer] = await Promise.all([startPostgres({ prefer: 'system' }), startPostgres()]);
  cwd = makeFolder();
  mkdirSync(join(cwd, 'projections'));
  const code = `export default {
    name: 'orders', version: 1, table: { columns: { id: 'text', n: 'integer' }, key: 'id', indexes: ['n'] },
    on: { Placed: (row, { streamId }) => ({ id: streamId, n: (row?.n ?? 0) + 1 }) },
  };`;
  writeFileSync(join(cwd, 'projections/orders.ts'), code);
});

afterAll(async () => {
  await Promise.all([source?.stop(), newer?.stop()]);
});

async function evstore(url: string, ...argv: string[]): Promise<void> {
  const { code, stderr } = await runCli([...argv, '--store', url], { cwd });
  expect({ argv, code, stderr }).toMatchObject({ argv, code: 0 });
}

async function recreate(server: PostgresServer, name: string): Promise<string> {
  const admin = await connectPostgres(server.url);
  await admin.query(`drop database if exists ${name} with (force)`);
  await admin.query(`create database ${name}`);
  await admin.close();
  return withDatabase(server.url, name);
}

/** By hand, what a swap has to carry over, and what versions of Postgres describe differently. */
const dependents = `create index by_hand on orders (n desc);
  alter table orders add constraint positive check (n > 0 and id like 'Order%');
  alter table orders alter n set not null;
  create view busy as select id, n + 1 as next from orders where n > 1;
  create statistics both_columns (dependencies) on id, n from orders`;

it.for(['the same version', 'a newer version'])(
  'by pg_dump, into %s: every command about a rebuild works',
  async (version, context) => {
    const server = version === 'the same version' ? source : newer;
    const tool = (name: string) => join(source?.binaries ?? '', name);
    if (source === undefined || server === undefined) throw new Error('no server');
    if (!existsSync(tool('pg_dump'))) return context.skip('there is no Postgres of the system with pg_dump');
    const url = await recreate(source, 'shop');
    await evstore(url, 'init', '--no-config');
    for (let n = 0; n < 10; n += 1) await evstore(url, 'append', `Order-${n % 3}`, '--type', 'Placed', '--data', '{}');
    await evstore(url, 'run', '--once');
    const raw = await connectPostgres(url);
    await raw.query(dependents);
    await raw.close();
    const copy = async () => {
      const target = await recreate(server, 'copy');
      const archive = execFileSync(tool('pg_dump'), ['-Fc', url], { maxBuffer: 2 ** 28 });
      execFileSync(tool('pg_restore'), ['--exit-on-error', '-d', target], { input: archive });
      return target;
    };
    await evstore(url, 'rebuild', 'orders', '--no-swap');
    const ready = await copy();
    await evstore(ready, 'swap', 'orders');
    await evstore(ready, 'rollback', 'orders', '--yes');
    await evstore(ready, 'swap', 'orders');
    await evstore(ready, 'gc', '--now', '--yes');
    await evstore(ready, 'verify');
    await evstore(await copy(), 'abort', 'orders', '--yes');
    await evstore(await copy(), 'rebuild', 'orders', '--resume');
    await evstore(await copy(), 'rebuild', 'orders', '--restart');
    await evstore(url, 'swap', 'orders');
    await evstore(await copy(), 'rollback', 'orders', '--yes');
    await evstore(await copy(), 'gc', '--now', '--yes');
  },
);
