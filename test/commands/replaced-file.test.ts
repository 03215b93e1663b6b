/** A SQLite file that is replaced under commands that have it open, and copies of a file with a rebuild in it. */
import { copyFileSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { placeOrders } from '../projection/orders.js';
import { runCli } from '../support/cli.js';
import { compileProgram } from '../support/compile.js';
import { withTestStore } from '../support/engines.js';
import { errorOf } from '../support/events.js';
import { type Program, runProgram } from '../support/program.js';
import { until } from '../support/wait.js';
import { type Shop, withShop } from './shop.js';

const saga = `import { defineSaga } from 'evstore';
  export default defineSaga({
    name: 'shipping', version: 1, startOn: 'OrderShipped',
  }).step('ship', { action: () => {} });`;

const commands = [
  ['run'],
  ['run', '--sagas', 'shipping'],
  ['lag', '--watch', '20ms'],
  ['wait', 'order_summary', '--position', '999', '--timeout', '10m'],
  ['tail'],
];

function pathOf({ test: { url } }: Shop): string {
  return url.slice('sqlite:'.length);
}

/** Another store with more events, in a file of its own: `use` gets its path once nothing has it open. */
function withOther(use: (other: string) => Promise<void>): Promise<void> {
  return withTestStore('sqlite', async ({ store, raw, url }) => {
    await placeOrders(store, 9);
    await Promise.all([store.close(), raw.close()]);
    await use(url.slice('sqlite:'.length));
  });
}

/** In a process of its own: a file that this process opens and closes would lose the locks it has on it. */
async function inShell(script: string): Promise<void> {
  const program = runProgram('bin/evstore.ts', [], { command: ['sh', '-c', script, 'sh'] });
  expect(await program.ended, program.stderr).toBe(0);
}

function hasOpen({ process: { pid } }: Program, file: string): boolean {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.includes(file);
}

const ways: readonly [string, (path: string, other: string) => Promise<void>][] = [
  ['renamed over it', async (path, other) => renameSync(other, path)],
  ['copied over it', (path, other) => inShell(`cp '${other}' '${path}'`)],
  [
    'restored into it',
    async (path, other) => {
      const script = `const db = new (require('better-sqlite3'))(process.argv[2]); db.backup(process.argv[1])`;
      await inShell(`cd '${process.cwd()}' && '${process.execPath}' -e "${script}" '${path}' '${other}'`);
    },
  ],
  ['removed', async (path) => rmSync(path)],
  ['left without its write-ahead log', async (path) => rmSync(`${path}-wal`)],
];

test.runIf(process.platform === 'linux').each(ways)('every command that has it open ends with 10: %s', (_, change) =>
  withShop('sqlite', (shop) =>
    withOther(async (other) => {
      compileProgram('bin/evstore.ts');
      const { cwd, test } = shop;
      mkdirSync(join(cwd, 'sagas'));
      writeFileSync(join(cwd, 'sagas/shipping.ts'), saga);
      await placeOrders(test.store, 5);
      expect(await shop.evstore('run', '--once', '--sagas')).toMatchObject({ code: 0 });
      // A copy changes nothing for readers where the write-ahead log has every page.
      await test.raw.query('pragma wal_checkpoint(truncate)');
      const env = { PATH: process.env.PATH, HOME: cwd, EVSTORE_URL: test.url };
      const programs = commands.map((argv) => runProgram('bin/evstore.ts', argv, { cwd, env }));
      await until(() => programs.every((each) => hasOpen(each, `${pathOf(shop)}-wal`)));
      await until(() => programs[0]?.stderr.includes('running from position 5') === true);
      await Promise.all([programs[2]?.printed(2), programs[4]?.printed(5)]);
      await change(pathOf(shop), other);
      for (const [index, program] of programs.entries()) {
        const code = await program.ended;
        expect({ argv: commands[index], code, stderr: program.stderr }).toEqual({
          argv: commands[index],
          code: 10,
          stderr: expect.stringContaining('while it was open (E_DIVERGED)'),
        });
      }
    }),
  ),
);

test('an append to a file that was removed fails, and is not lost unnoticed', () =>
  withTestStore('sqlite', async ({ url }) => {
    const store = await openStore(url);
    await store.append('Order-1', { type: 'OrderPlaced', data: {} });
    rmSync(url.slice('sqlite:'.length));
    await errorOf('E_DIVERGED', store.append('Order-1', { type: 'OrderPlaced', data: {} }));
    await store.close();
  }));

test('checkpoints, and events of other processes, are no other history', () =>
  withTestStore('sqlite', async ({ url, raw, store }) => {
    for (let round = 0; round < 20; round += 1) {
      await placeOrders(store, 3, 10, 3 * round);
      await raw.query('pragma wal_checkpoint(truncate)');
      const other = await openStore(url);
      await other.append(`Till-${round}`, { type: 'OrderPlaced', data: { total: 1 } });
      await other.close();
    }
    expect(await store.log.head()).toMatchObject({ head: 80 });
  }));

const copies: readonly [string, (from: string, to: string) => Promise<void>][] = [
  [
    'by cp, with its write-ahead log',
    async (from, to) => {
      for (const end of ['', '-wal']) copyFileSync(from + end, to + end);
    },
  ],
  ['by VACUUM INTO', async (from, to) => void new Sqlite(from).exec(`vacuum into '${to}'`).close()],
  [
    'by .backup',
    async (from, to) => {
      const database = new Sqlite(from);
      await database.backup(to);
      database.close();
    },
  ],
];

test.each(copies)('a rebuild in a file that was copied %s is swapped in, rolled back and aborted', (_, copy) =>
  withShop('sqlite', async (shop) => {
    await placeOrders(shop.test.store, 20);
    await shop.evstore('run', '--once');
    await shop.evstore('rebuild', 'order_summary', '--no-swap');
    const to = `${pathOf(shop)}.copy`;
    await copy(pathOf(shop), to);
    const evstore = (...argv: string[]) => runCli([...argv, '--store', `sqlite:${to}`], { cwd: shop.cwd });
    expect(await evstore('doctor', '--fix', 'journal')).toMatchObject({ code: 0 });
    for (const argv of [['swap'], ['rollback', '--yes'], ['abort', '--yes']]) {
      const [command = '', ...flags] = argv;
      expect(await evstore(command, 'order_summary', ...flags), command).toMatchObject({ code: 0 });
    }
    expect(await evstore('verify')).toMatchObject({ code: 0 });
  }),
);
