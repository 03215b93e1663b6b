/** What a comparison takes does not grow with the rows, however many differ. */
import { expect, it } from 'vitest';
import { sql } from '../../src/projection/define/sql-tag.js';
import type { Engine } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { makeTables, numbersBelow } from '../support/made-tables.js';
import { allowMoreTime } from '../support/more-time.js';
import { spawnWorker } from '../support/workers/spawn.js';

allowMoreTime('200,000 rows are compared, so that a leak would show');

interface Compared {
  readonly differences: number;
  readonly peakKb: number;
}

/** Of so many rows on both sides; every second is changed, every tenth is on one side only. */
function compareRows(engine: Engine, count: number): Promise<Compared> {
  return withTestStore(engine, async ({ store, raw, url }) => {
    const { built } = await makeTables(store, ['many'], (t) => [
      sql`create table ${t.many} (id integer primary key, note text not null)`,
    ]);
    const long = engine === 'sqlite' ? `replace(hex(zeroblob(100)), '00', 'note')` : `repeat('note', 100)`;
    const numbers = numbersBelow(engine, count);
    await raw.query(`insert into many select i, ${long} || (i % 2) from ${numbers} where i % 20 <> 0`);
    await raw.query(`insert into ${built[0]} select i, ${long} || '0' from ${numbers} where i % 20 <> 10`);
    const worker = spawnWorker('compare', [url]);
    expect(await worker.ended).toBe(0);
    const [line = ''] = worker.lines;
    return JSON.parse(line);
  });
}

forEachEngine((engine) => {
  it('ten times the rows take no more memory', async () => {
    const few = await compareRows(engine, 20_000);
    const many = await compareRows(engine, 200_000);
    expect(few.differences).toBe(20_000 * 0.6);
    expect(many.differences).toBe(200_000 * 0.6);
    // Kept, the values that differ would be 80 MB.
    expect(many.peakKb).toBeLessThan(few.peakKb + 48 * 1024);
  });
});
