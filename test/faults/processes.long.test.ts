/** Processes that contend, and processes that are killed. */
import { expect, it } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { readAll, readStream } from '../support/events.js';
import { checkHistory, History } from '../support/history.js';
import { allowMoreTime } from '../support/more-time.js';
import { runProgram } from '../support/program.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { follow } from '../support/stress.js';
import { killWriter } from '../support/writers.js';

allowMoreTime('dozens of processes are killed one after the other');

const contenders = 8;
const kills = 50;

interface Answer {
  readonly version?: number;
  readonly deduplicated?: boolean;
  readonly code?: string;
}

async function contend(
  { url }: TestStore,
  streamId: string,
  expected: string,
  idOf: () => string,
): Promise<readonly Answer[]> {
  const programs = Array.from({ length: contenders }, () =>
    runProgram('test/faults/programs/contender.ts', [url, streamId, expected, idOf()]),
  );
  await Promise.all(programs.map((program) => program.printed(1)));
  for (const program of programs) program.process.stdin.write('go\n');
  await Promise.all(programs.map(({ ended }) => ended));
  return programs.map(({ lines, stderr }) => JSON.parse(lines[1] ?? JSON.stringify({ code: stderr })));
}

forEachEngine((engine) => {
  it('A2 A3 A4: eight processes append the same, as rivals, and to any version', () =>
    withTestStore(engine, async (test) => {
      const id = newEventId();
      const identical = await contend(test, 'same-1', 'none', () => id);
      expect(identical.filter(({ deduplicated }) => deduplicated === false)).toHaveLength(1);
      expect(identical.filter(({ deduplicated }) => deduplicated === true)).toHaveLength(contenders - 1);
      const rivals = await contend(test, 'rival-1', '0', newEventId);
      expect(rivals.filter(({ version }) => version === 1)).toHaveLength(1);
      expect(rivals.filter(({ code }) => code === 'E_VERSION_CONFLICT')).toHaveLength(contenders - 1);
      const any = await contend(test, 'any-1', 'any', newEventId);
      expect(any.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      for (const [streamId, count] of [
        ['same-1', 1],
        ['rival-1', 1],
        ['any-1', contenders],
      ] as const) {
        expect(await readStream(test.store, streamId)).toHaveLength(count);
      }
    }));

  it(`${kills} SIGKILLs of appending and importing processes`, () =>
    withTestStore(engine, async (test) => {
      const random = makeRandom(freshSeed());
      const history = new History();
      let isWriting = true;
      const reading = follow(
        'follower',
        (after) => test.store.log.readAll({ after }),
        history,
        () => isWriting,
      );
      const lanes = [0, 1].map(async (lane) => {
        for (let n = 0; n < kills / 2; n++) await killWriter(test.store, test.url, `lane${lane}`, random, history);
      });
      try {
        await Promise.all(lanes);
      } finally {
        isWriting = false;
        await reading;
      }
      history.deliver('afterwards', await readAll(test.store));
      expect(checkHistory(history), `seed ${random.seed}`).toEqual([]);
      expect(history.attempts.length).toBeGreaterThan(kills);
      if (engine === 'sqlite')
        expect(await test.raw.query('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      await test.store.schema.assertGuards();
    }));
});
