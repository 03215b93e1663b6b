/** H25: a password of odd characters connects, and no output ever has a piece of it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import { connectPostgres } from '../support/engines.js';
import { append } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { type Program, runProgram } from '../support/program.js';

allowMoreTime('the server and the program are started for each way to give a password');

/** Every piece between two odd characters is a canary. */
const password =
  'canary1@canary2:canary3/canary4#canary5?canary6&canary7=canary8%canary9 canary10"canary11\'canary12\\canary';
const encoded = encodeURIComponent(password);
const user = 'sealed';

let server: PostgresServer;
let folder: string;
let port: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-password-'));
  chmodSync(folder, 0o755);
  const rules = join(folder, 'pg_hba.conf');
  writeFileSync(rules, `host all ${user} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n`);
  server = await startPostgres({ settings: { hba_file: rules } });
  port = new URL(server.url).port;
  const admin = await connectPostgres(server.url);
  await admin.query(`create role ${user} login password '${password.replaceAll("'", "''")}'`);
  await admin.query(`grant pg_read_all_data to ${user}`);
  await admin.close();
  const store = await openStoreAt(server.url);
  await store.schema.migrate();
  await append(store, 'Order-1');
  await store.close();
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const program = runProgram('bin/evstore.ts', args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
  });
  await program.ended;
  const told = [...program.lines, program.stderr].join('\n');
  expect(told.match(/canary\d*/g), `${args.join(' ')}\n${told}`).toBeNull();
  return program;
}

describe('H25: a password is never printed', () => {
  const at = (userPart: string, rest = '') => `postgres://${userPart}@127.0.0.1:${port}/postgres${rest}`;

  it('connects, wherever the password stands', async () => {
    writeFileSync(
      join(folder, '.pgpass'),
      `127.0.0.1:${port}:postgres:${user}:${password.replaceAll(/[\\:]/g, (sign) => `\\${sign}`)}\n`,
      { mode: 0o600 },
    );
    const ways: [string, Record<string, string>][] = [
      [at(`${user}:${encoded}`), {}],
      [at(user, `?password=${encoded}`), {}],
      [at(user), { PGPASSWORD: password }],
      [at(user), {}],
      ['postgres:', { PGHOST: '127.0.0.1', PGPORT: port, PGUSER: user, PGPASSWORD: password, PGDATABASE: 'postgres' }],
      [at(user), { PGPASSFILE: join(folder, '.pgpass'), HOME: '/' }],
    ];
    for (const [url, env] of ways) {
      for (const [args, given] of [
        [['read', '--store', url], env],
        [['read'], { ...env, EVSTORE_URL: url }],
        [['read'], { ...env, DATABASE_URL: url }],
      ] as const) {
        const program = await run(args, given);
        expect(await program.ended, `${url}\n${program.stderr}`).toBe(0);
        expect(program.lines).toHaveLength(1);
      }
    }
    rmSync(join(folder, '.pgpass'));
  });

  const secret = `${user}:${encoded}`;
  const wrong: Record<string, () => string> = {
    'another database': () => at(secret).replace(/postgres$/, 'nowhere'),
    'a password that is not right': () => at(`${secret}canary13`),
    'a port where nobody is': () => at(secret).replace(`:${port}/`, ':1/'),
    'a host there is not': () => at(secret).replace('127.0.0.1', 'nowhere.invalid'),
    'a server without TLS': () => at(secret, '?sslmode=require'),
    'an sslmode there is not': () => at(secret, '?sslmode=nonsense'),
    'an option Postgres refuses': () => at(secret, '?options=-c%20nonsense%3D1'),
    'a port that is none': () => at(secret).replace(`:${port}/`, ':eleven/'),
    'no host': () => `postgres://${secret}@`,
    'one slash': () => `postgres:/${secret}@127.0.0.1/postgres`,
    'an unknown scheme': () => `postgress://${secret}@127.0.0.1/postgres`,
    'no scheme': () => `${secret}@127.0.0.1/postgres`,
    'a scheme in capitals': () => `POSTGRES://${secret}@127.0.0.1:1/postgres`,
    'a raw password': () => `postgres://${user}:${password}@127.0.0.1:1/postgres`,
    'a raw password and a port that is none': () => `postgres://${user}:${password}@127.0.0.1:x/postgres`,
    'a raw password without a host': () => `postgres://${user}:${password}`,
    'a password parameter': () => `postgres://127.0.0.1:1/postgres?user=${user}&password=${encoded}`,
    'a password parameter and a broken URL': () => `postgres://127.0.0.1:x/postgres?password=${encoded}`,
    'a connection string of libpq': () => `host=127.0.0.1 port=1 user=${user} password=canary1`,
    'sqlite by mistake': () => `sqlite:postgres://${secret}@127.0.0.1/postgres`,
    mysql: () => `mysql://${secret}@127.0.0.1/shop`,
  };

  it.each(Object.entries(wrong))('fails without a word of it: %s', async (_, make) => {
    const url = make();
    const programs = await Promise.all([
      run(['read', '--store', url]),
      run(['read', '--store', url, '--json', '--debug']),
      run(['append', 'Order-1', '--type', 'T', '--data', '{}', '--debug'], { EVSTORE_URL: url }),
      run(['lag', '--debug', '--json'], { DATABASE_URL: url }),
    ]);
    for (const program of programs) {
      expect([2, 3], program.stderr).toContain(await program.ended);
      expect(program.stderr).toMatch(/E_(CONNECT|CONFIG|NO_SCHEMA|USAGE)/);
    }
  });

  it('fails without a word of it: a config file with such a URL', async () => {
    for (const make of Object.values(wrong).slice(0, 12)) {
      writeFileSync(join(folder, 'evstore.config.json'), JSON.stringify({ store: make() }));
      const program = await run(['read', '--debug']);
      expect([2, 3], program.stderr).toContain(await program.ended);
    }
    writeFileSync(join(folder, 'evstore.config.json'), `{"store": "${at(secret)}", broken`);
    expect(await (await run(['read', '--debug'])).ended).toBe(2);
    rmSync(join(folder, 'evstore.config.json'));
  });

  it('fails without a word of it: what the account may not do', async () => {
    const refused = [
      ['append', 'Order-1', '--type', 'T', '--data', '{}'],
      ['init', '--no-config', '--schema', 'other'],
      ['import', join(folder, 'missing.ndjson')],
      ['read', 'Nothing-1'],
      ['checkpoints', 'delete', 'nothing', '--execute', '--yes'],
      ['nonsense'],
      ['read', '--nonsense'],
    ];
    for (const args of refused) {
      const program = await run([...args, '--store', at(secret), '--debug']);
      expect(await program.ended, args.join(' ')).not.toBe(0);
    }
  });
});
