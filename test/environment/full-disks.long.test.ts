/** A disk that is full: commands say so, nothing is lost, and all goes on when there is space. */
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { mayMount } from './installed.js';
import { checkOutcome, linesOf, makeShop, type Outcome, runPacked } from './main-job.js';
import { describeRows } from './row.js';
import { administer, startDurable, withNewDatabase } from './servers.js';
import { type SmallDisk, withSmallDisk } from './small-disk.js';

allowMoreTime('disks are filled, and commands are processes');

const lacks = mayMount() ? undefined : 'this account may not mount a small disk: it takes root on Linux';
const full: Outcome = { exit: 74, says: 'E_STORE_FULL' };
const bigLines = 500;

let server: PostgresServer;
beforeAll(async () => {
  server = await startDurable({});
});
afterAll(() => server.stop());

async function fillAndFree(url: string, disk: SmallDisk, whenRead: Outcome): Promise<void> {
  const cwd = makeShop('Zürich');
  const evstore = async (argv: string, outcome: Outcome = 'works') => {
    const result = await runPacked(argv.split(' '), { url, cwd });
    checkOutcome(argv, result, outcome);
    return result.stdout;
  };
  // Random text, which no store can compress.
  const big = (n: number) => `{"type":"OrderPlaced","data":{"filler":"${randomText(8_000)} ${n}"}}`;
  const batch = Array.from({ length: bigLines }, (_, n) => big(n));
  writeFileSync(join(cwd, 'big-batch.ndjson'), `${batch.join('\n')}\n`);
  const lines = batch.map((line, n) => line.replace('{', `{"streamId":"Order-${100 + n}",`));
  writeFileSync(join(cwd, 'big.ndjson'), `${lines.join('\n')}\n`);

  for (const argv of ['init --no-config', 'import orders.ndjson', 'run --once']) await evstore(argv);
  const before = linesOf(await evstore('read'));
  const rows = await evstore('lag --json');
  disk.fill();
  await evstore('append Big-1 --from big-batch.ndjson', full);
  await evstore('rebuild order_totals --yes', full);
  await evstore('import big.ndjson', full);
  await evstore('read', whenRead);
  disk.free();
  expect(linesOf(await evstore('read')).slice(0, before.length)).toEqual(before);
  expect(JSON.parse(await evstore('lag --json')).projections).toHaveLength(JSON.parse(rows).projections.length);
  await evstore('read Big-1', { exit: 6, says: 'E_NOT_FOUND' });
  const { imported, known } = JSON.parse(await evstore('import big.ndjson --json'));
  expect(imported + known).toBe(bigLines);
  await evstore('append Big-1 --from big-batch.ndjson --expected-version none');
  await evstore('rebuild order_totals --yes');
  await evstore('run --once');
  await evstore('lag --max-lag 0');
  await evstore('verify');
  expect(linesOf(await evstore('read -q'))).toHaveLength(60 + 2 * bigLines);
}

function randomText(length: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length * 0.75))).toString('base64');
}

const expected = 'import, append and rebuild end with E_STORE_FULL, nothing is lost, and they work when there is space';

describeRows('a full disk of', [
  {
    name: 'Postgres',
    expected,
    lacks,
    run: () =>
      withSmallDisk(64, async (disk) => {
        const place = join(disk.folder, 'tablespace');
        const { uid, gid } = statSync(server.data);
        mkdirSync(place);
        chownSync(place, uid, gid);
        await administer(server, `create tablespace small location '${place}'`);
        try {
          await withNewDatabase(server, 'tablespace small', ({ url }) => fillAndFree(url, disk, 'works'));
        } finally {
          await administer(server, 'drop tablespace small');
        }
      }),
  },
  {
    name: 'SQLite',
    expected,
    lacks,
    // Readers share an index of the write-ahead log in a file, which SQLite makes for the first of them.
    run: () => withSmallDisk(64, (disk) => fillAndFree(`sqlite:${join(disk.folder, 'store.db')}`, disk, full)),
  },
]);
