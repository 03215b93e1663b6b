/** saga-crash-points: a process is killed before or after each time it records facts; another one takes over. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSagas } from '../../src/saga/run.js';
import { compileProgram } from '../support/compile.js';
import { createTestStore, forEachEngine, type TestStore } from '../support/engines.js';
import { append, collect, makeEvent } from '../support/events.js';
import { allDone, allUndone, makeFulfilment } from '../support/fulfilment-saga.js';
import { allowMoreTime } from '../support/more-time.js';

allowMoreTime('a process is killed at each record of a saga');

interface Way {
  readonly ending: 'completed' | 'compensated';
  readonly effects: readonly string[];
  readonly unknown: readonly string[];
  readonly points: readonly string[];
}

const points = (records: number) =>
  Array.from({ length: records }, (_, index) => [`before:${index + 1}`, `after:${index + 1}`]).flat();
const ways: readonly Way[] = [
  { ending: 'completed', effects: allDone, unknown: [], points: points(4) },
  {
    ending: 'compensated',
    effects: allUndone,
    /** Killed while the step that fails was on its way. */
    unknown: ['after:3', 'before:4'],
    points: points(6),
  },
];

forEachEngine((engine) => {
  let place: TestStore;
  let folder: string;
  let worker: string;

  beforeAll(async () => {
    worker = compileProgram('test/support/workers/saga.ts');
    folder = mkdtempSync(join(tmpdir(), 'evstore-saga-'));
    place = await createTestStore(engine);
  });
  afterAll(async () => {
    await place.cleanup();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { ending, effects, unknown, points } of ways) {
    test.each(points)(`F21: ${ending}, killed %s`, async (point) => {
      const order = `Order-${ending}-${point}`;
      const file = join(folder, `${ending}-${point}`);
      await append(place.store, order, [makeEvent()]);
      const killed = await execa(process.execPath, [worker, place.url, file, ending, point], { reject: false });
      expect(killed.signal, killed.stderr).toBe('SIGKILL');

      const [report] = await runSagas({
        store: place.store,
        sagas: [makeFulfilment(file, ending === 'compensated')],
        once: true,
        signal: new AbortController().signal,
        owner: 'another process',
      });
      expect(report?.error).toBeNull();

      // Nobody knows whether an interrupted action took effect: it is undone too, although the next attempt failed.
      const expected = unknown.includes(point) ? allUndone.toSpliced(2, 0, 'undo ship') : effects;
      const done = await collect(place.store.log.readStream(`Effect-${order}`));
      expect(done.map(({ type }) => type)).toEqual(expected);
      const keys = readFileSync(file, 'utf8').trim().split('\n');
      expect([...new Set(keys)]).toEqual(expected.map((effect) => keyOf(order, effect)));
      expect(keys.length - new Set(keys).size, 'only what was interrupted is repeated').toBeLessThanOrEqual(1);
      const saga = await collect(place.store.log.readStream(`saga:fulfilment-${order}`));
      expect(saga.at(-1)?.type).toBe(ending === 'completed' ? 'SagaCompleted' : 'SagaCompensated');
      expect(new Set([...saga, ...done].map(({ metadata }) => JSON.parse(metadata).correlationId)).size).toBe(1);
    });
  }
});

function keyOf(order: string, effect: string): string {
  const step = effect.replace('undo ', '');
  return `fulfilment/${order}/${step}${step === effect ? '' : '/compensate'}`;
}
