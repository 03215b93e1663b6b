/** PgBouncer in each of its modes, with more clients than connections of the server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { freePort, type PostgresServer, unprivilegedAccount } from '../support/postgres-server.js';
import { findProgram } from './installed.js';
import { checkOutcome, doMainJob, makeShop, type Outcome, runPacked } from './main-job.js';
import { describeRows } from './row.js';
import { notInstalled, startDurable, withNewDatabase } from './servers.js';

allowMoreTime('the main job is many processes');

const program = findProgram('pgbouncer');
const lacks = program === undefined ? notInstalled('pgbouncer') : undefined;

let server: PostgresServer;
beforeAll(async () => {
  server = await startDurable({});
});
afterAll(() => server.stop());

async function behindPooler(mode: string, url: string, work: (pooled: string) => Promise<unknown>): Promise<void> {
  const folder = mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', 'pooler-'));
  const account = unprivilegedAccount();
  const port = await freePort();
  const target = new URL(url);
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${target.hostname} port=${target.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${mode === 'session' ? 20 : 3}
`,
  );
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
  const pooler = spawn(program ?? 'pgbouncer', [join(folder, 'pgbouncer.ini')], {
    ...account,
    cwd: folder,
    stdio: 'pipe',
  });
  const ended = once(pooler, 'exit');
  try {
    await untilListening(pooler.stderr, ended);
    const pooled = new URL(url);
    pooled.port = String(port);
    await work(pooled.href);
  } finally {
    pooler.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  }
}

async function untilListening(stderr: NodeJS.ReadableStream, ended: Promise<unknown>): Promise<void> {
  let told = '';
  const listening = new Promise<void>((resolve) => {
    stderr.setEncoding('utf8');
    stderr.on('data', (text: string) => {
      told = (told + text).slice(-5000);
      if (told.includes('process up')) resolve();
    });
  });
  await Promise.race([
    listening,
    ended.then(() => {
      throw new Error(`pgbouncer ended: ${told}`);
    }),
  ]);
}

describeRows('behind PgBouncer in', [
  ...['session', 'transaction'].map((mode) => ({
    name: `${mode} mode`,
    expected: 'the main job works',
    lacks,
    run: () =>
      withNewDatabase(server, '', (place) =>
        behindPooler(mode, place.url, async (url) => {
          await doMainJob({ ...place, url });
        }),
      ),
  })),
  {
    name: 'statement mode',
    expected: 'what takes a transaction is refused, and the error names the mode; one statement works',
    lacks,
    run: () =>
      withNewDatabase(server, '', (place) =>
        behindPooler('statement', place.url, async (url) => {
          const cwd = makeShop('Zürich');
          const refused: Outcome = { exit: 2, says: 'statement mode' };
          const evstore = async (argv: string, at: string, outcome: Outcome = 'works') =>
            checkOutcome(argv, await runPacked(argv.split(' '), { url: at, cwd }), outcome);
          await evstore('init --no-config', url, refused);
          for (const argv of [
            'init --no-config',
            'import orders.ndjson',
            'run --once',
            'rebuild order_totals --no-swap',
          ]) {
            await evstore(argv, place.url);
          }
          for (const argv of [
            'append Order-1 --type OrderSent',
            'append Order-1 --from batch.ndjson',
            'read',
            'streams',
          ]) {
            await evstore(argv, url);
          }
          for (const argv of [
            'append Order-1 --type OrderSent --inline',
            'import orders.ndjson --source again',
            'run --once',
            'rebuild order_notes --yes',
            'diff order_totals',
            'swap order_totals --yes',
            'verify',
          ]) {
            await evstore(argv, url, refused);
          }
          await evstore('doctor', url, { exit: 1, says: 'statement mode' });
          await evstore('run --once', place.url);
          await evstore('verify', place.url);
        }),
      ),
  },
]);
