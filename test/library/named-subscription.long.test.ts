/** A process that handles batches is killed; the next one gets what was not acknowledged, and nothing else. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileProgram } from '../support/compile.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { until } from '../support/wait.js';

allowMoreTime('processes are started and killed');

let worker: string;
let folder: string;
beforeAll(() => {
  worker = compileProgram('test/support/workers/subscribe.ts');
  folder = mkdtempSync(join(tmpdir(), 'evstore-subscribe-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = Array.from({ length: 10 }, (_, index) => `Order-1@${index + 1}`);

forEachEngine((engine) => {
  test.each([
    ['handled:1', all.slice(0, 3)],
    ['stored:1', []],
    ['handled:2', all.slice(3, 6)],
    ['stored:2', []],
    ['stored:3', []],
    ['handled:4', all.slice(9)],
  ])('a process killed at %s delivers again only the batch that it had not acknowledged', (point, again) =>
    withTestStore(engine, async ({ url, store }) => {
      await append(store, 'Order-1', makeEvents(10));
      const file = join(folder, `${engine}-${point}`);
      const run = (at: string) => execa(process.execPath, [worker, url, file, at], { reject: false });
      const killed = await run(point);
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      const ended = await run('end');
      expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
      const seen = readFileSync(file, 'utf8').trim().split('\n');
      expect([...new Set(seen)]).toEqual(all);
      expect(seen.filter((id, index) => seen.indexOf(id) !== index)).toEqual(again);
    }),
  );

  test('two rivals that are killed at random miss no event', () =>
    withTestStore(engine, async ({ url, store }) => {
      const file = join(folder, `${engine}-rivals`);
      const start = () => execa(process.execPath, [worker, url, file], { reject: false });
      const rivals = [start(), start()];
      let appended = 0;
      let kills = 0;
      const checkpoint = async () => (await store.projections.checkpoints())[0];
      const reach = (position: number) =>
        until(async () => ((await checkpoint())?.position ?? 0) >= position, `position ${position}`);
      for (let round = 0; round < 10; round += 1) {
        await append(store, 'Order-1', makeEvents(20));
        appended += 20;
        await reach(appended - Math.ceil(Math.random() * 19));
        let owner: string | null | undefined = null;
        await until(async () => {
          owner = (await checkpoint())?.owner;
          return typeof owner === 'string';
        }, 'a rival that works');
        const place = rivals.findIndex(({ pid }) => String(owner).endsWith(`:${pid}`));
        kills += rivals[place]?.kill('SIGKILL') === true ? 1 : 0;
        rivals[place] = start();
      }
      await reach(appended);
      for (const rival of rivals) rival.kill('SIGTERM');
      // One that has just started may not listen to the signal yet.
      expect((await Promise.all(rivals)).map(({ stderr }) => stderr)).toEqual(['', '']);
      expect(kills).toBe(10);
      const seen = readFileSync(file, 'utf8').trim().split('\n');
      const first = [...new Set(seen)];
      expect(first).toEqual(Array.from({ length: appended }, (_, index) => `Order-1@${index + 1}`));
    }));
});
