/** Servers with TLS and without, and what a URL may ask of the connection. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { withDatabase } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import type { Account, PostgresServer } from '../support/postgres-server.js';
import { findProgram } from './installed.js';
import { checkOutcome, doMainJob, makeShop, type Outcome, runPacked } from './main-job.js';
import { describeRows, type Row } from './row.js';
import { administer, notInstalled, startDurable, urlOf, withNewDatabase } from './servers.js';

allowMoreTime('servers are started, and the main job is many processes');

const lacks = findProgram('openssl') === undefined ? notInstalled('openssl') : undefined;
const password = 'p@ss:w/rd';

let plain: PostgresServer;
let encrypted: PostgresServer;
/** The authority that signed the certificate of the server, and one that did not. */
let authority: string;
let stranger: string;

beforeAll(async () => {
  if (lacks !== undefined) return;
  const folder = mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', 'tls-'));
  authority = makeAuthority(folder, 'authority');
  stranger = makeAuthority(folder, 'stranger');
  makeCertificate(folder);
  plain = await startDurable({});
  encrypted = await startDurable({
    settings: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    prepare: (data, account) => {
      for (const name of ['server.crt', 'server.key']) copyFor(account, join(folder, name), join(data, name));
      // The superuser of the tests comes in as ever; `app` only encrypted, and with a password.
      writeFileSync(
        join(data, 'pg_hba.conf'),
        `host all postgres 127.0.0.1/32 trust
hostssl all app 127.0.0.1/32 scram-sha-256
hostssl all plain_password 127.0.0.1/32 password
hostssl all no_password 127.0.0.1/32 trust
`,
      );
    },
  });
  for (const role of ['app', 'plain_password', 'no_password']) {
    await administer(encrypted, `create role ${role} login superuser password '${password}'`);
  }
  await administer(plain, `create role app login superuser password '${password}'`);
});

afterAll(async () => {
  await plain?.stop();
  await encrypted?.stop();
});

function copyFor({ uid, gid }: Account, from: string, to: string): void {
  execFileSync('cp', [from, to]);
  execFileSync('chmod', ['600', to]);
  if (uid !== undefined && gid !== undefined) chownSync(to, uid, gid);
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function makeAuthority(folder: string, name: string): string {
  const file = join(folder, `${name}.crt`);
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    join(folder, `${name}.key`),
    '-out',
    file,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return file;
}

/** For localhost, and not for 127.0.0.1. */
function makeCertificate(folder: string): void {
  const path = (name: string) => join(folder, name);
  openssl('req', ...newKey, '-keyout', path('server.key'), '-out', path('server.csr'), '-subj', '/CN=localhost');
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost\n');
  const signed = ['-CA', path('authority.crt'), '-CAkey', path('authority.key'), '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', path('server.csr'), ...signed, '-extfile', path('names'), '-out', path('server.crt'));
}

const refused: Outcome = { exit: 3, says: 'E_CONNECT' };
const unknown: Outcome = { exit: 2, says: 'E_CONFIG' };

/** `CA` and `OTHER` are replaced by the files of the authority that signed, and of the one that did not. */
const parameters: readonly (readonly [parameters: string, host: string, encrypted: Outcome, plain: Outcome])[] = [
  ['', 'localhost', 'works', 'works'],
  ['sslmode=disable', 'localhost', refused, 'works'],
  ['sslmode=allow', 'localhost', 'works', 'works'],
  ['sslmode=prefer', 'localhost', 'works', 'works'],
  ['sslmode=require', 'localhost', 'works', refused],
  ['sslmode=no-verify', 'localhost', 'works', refused],
  ['sslmode=require&sslrootcert=CA', '127.0.0.1', 'works', refused],
  ['sslmode=require&sslrootcert=OTHER', '127.0.0.1', refused, refused],
  ['sslmode=verify-ca', 'localhost', refused, refused],
  ['sslmode=verify-ca&sslrootcert=CA', '127.0.0.1', 'works', refused],
  ['sslmode=verify-full&sslrootcert=CA', 'localhost', 'works', refused],
  ['sslmode=verify-full&sslrootcert=CA', '127.0.0.1', refused, refused],
  ['sslmode=verify-full&sslrootcert=OTHER', 'localhost', refused, refused],
  ['ssl=true', 'localhost', refused, refused],
  ['ssl=true&sslrootcert=CA', 'localhost', 'works', refused],
  ['ssl=no-verify', 'localhost', 'works', refused],
  ['sslmode=require&channel_binding=require', 'localhost', 'works', refused],
  ['sslmode=require&channel_binding=prefer', 'localhost', 'works', refused],
  ['sslmode=require&channel_binding=disable', 'localhost', 'works', refused],
  // The plain server asks for no password, so there is nothing to bind.
  ['channel_binding=require', 'localhost', 'works', refused],
  ['channel_binding=prefer', 'localhost', 'works', 'works'],
  ['channel_binding=always', 'localhost', unknown, unknown],
  ['target_session_attrs=any', 'localhost', 'works', 'works'],
  ['target_session_attrs=read-write', 'localhost', 'works', 'works'],
  ['target_session_attrs=primary', 'localhost', 'works', 'works'],
  ['target_session_attrs=standby', 'localhost', refused, refused],
  ['sslmode=require&sslnegotiation=direct', 'localhost', 'works', refused],
  ['sslnegotiation=direct', 'localhost', unknown, unknown],
];

function rowsOf(name: string, serverOf: () => PostgresServer, outcomeAt: 2 | 3): readonly Row[] {
  return parameters.map((row) => {
    const outcome = row[outcomeAt];
    return {
      name: `${name}, ${row[1]}?${row[0]}`,
      expected: outcome === 'works' ? 'init works' : `init ends with ${outcome.says}`,
      lacks,
      run: () =>
        withNewDatabase(serverOf(), '', async ({ url, database, raw }) => {
          const own = new URL(urlOf(withDatabase(serverOf().url, database), 'app', password));
          own.hostname = row[1];
          const query = row[0]
            .replace('CA', encodeURIComponent(authority))
            .replace('OTHER', encodeURIComponent(stranger));
          const cwd = makeShop('Zürich');
          const result = await runPacked(['init', '--no-config'], { url: `${own.href}?${query}`, cwd });
          checkOutcome(url, result, outcome);
          const tables = await raw.query("select count(*) as tables from pg_tables where tablename = 'events'");
          const expected = outcome === 'works' ? '1' : '0';
          if (tables[0]?.tables !== expected) throw new Error(`the database has ${tables[0]?.tables} tables of events`);
        }),
    };
  });
}

describeRows('TLS', [
  ...rowsOf('a server with TLS', () => encrypted, 2),
  ...rowsOf('a server without TLS', () => plain, 3),
  ...['plain_password', 'no_password'].map((role) => ({
    name: `a server with TLS that asks for ${role.replace('_', ' ')}, channel_binding=require`,
    expected: 'init ends with E_CONNECT, and no password is sent',
    lacks,
    run: () =>
      withNewDatabase(encrypted, '', async ({ url }) => {
        const bound = `${urlOf(url, role, password)}?sslmode=require&channel_binding=require`;
        const result = await runPacked(['init', '--no-config'], { url: bound, cwd: makeShop('Zürich') });
        checkOutcome('init', result, { exit: 3, says: 'the login is not bound to the connection' });
        // The same account may log in where the URL does not demand it.
        const free = await runPacked(['init', '--no-config'], {
          url: `${urlOf(url, role, password)}?sslmode=require&channel_binding=prefer`,
          cwd: makeShop('Zürich'),
        });
        checkOutcome('init', free, 'works');
      }),
  })),
  {
    name: 'a URL as Neon gives it, with verification on top',
    expected: 'the main job works',
    lacks,
    run: () =>
      withNewDatabase(encrypted, '', async (place) => {
        const own = new URL(urlOf(place.url, 'app', password));
        own.hostname = 'localhost';
        const query = `sslmode=verify-full&sslrootcert=${encodeURIComponent(authority)}&channel_binding=require`;
        await doMainJob({ ...place, url: `${own.href}?${query}` });
      }),
  },
]);
