/** Appends that write rows while a runner, rebuilds, swaps and rollbacks take the tables from under them. */
import { expect } from 'vitest';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import type { Store } from '../../src/store/store.js';
import type { TestStore } from '../support/engines.js';
import { makeEvents, readAll } from '../support/events.js';
import {
  appendInline,
  buildBeside,
  expectTraces,
  insertRaw,
  orderLines,
  positionTraces,
  readMarks,
  readPositions,
  rebuildAndSwap,
  register,
  runOnce,
  swapAsItIs,
  swapBack,
  takeBack,
  tracesOf,
} from '../support/inline-models.js';
import { prepare } from '../support/prepare.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { suite } from './suite.js';

const [first, second] = [tracesOf(1), tracesOf(2)];

export const inlineSwapSuite = suite('inline beside rebuilds', {
  'what only the replaced table has is applied to the new one, and the other way round': async (test) => {
    const { store } = test;
    await register(store, first);
    await appendInline(store, [first], 'Order-1', makeEvents(2));
    const { rebuild, lease } = await buildBeside(store, second);
    await appendInline(store, [first], 'Order-1');
    await appendInline(store, [first], 'Order-2', makeEvents(2));
    await swapAsItIs(store, rebuild, lease);
    expect(Object.keys(await readMarks(test))).toEqual(['order_traces/beside']);
    await appendInline(store, [first], 'Order-3');
    await appendInline(store, [second], 'Order-1');
    await appendInline(store, [second], 'Order-4');
    await runOnce(store, second);
    await expectTraces(store);
    await appendInline(store, [second], 'Order-5', makeEvents(2));
    await appendInline(store, [second], 'Order-1');
    await expectTraces(store);
    await takeBack(store, first);
    await runOnce(store, first);
    await expectTraces(store);
    await appendInline(store, [first], 'Order-5');
    await appendInline(store, [first], 'Order-6');
    await rebuildAndSwap(store, second);
    await runOnce(store, second);
    await expectTraces(store);
    expect(Object.keys(await readMarks(test))).not.toContain('order_traces/live');
  },

  'marks go with their tables': async (test) => {
    const { store } = test;
    await register(store, first);
    await appendInline(store, [first], 'Order-1', makeEvents(2));
    await rebuildAndSwap(store, second);
    expect(Object.keys(await readMarks(test))).toEqual(['order_traces/beside']);
    const [swapped] = await store.projections.rebuilds('order_traces');
    if (swapped === undefined) throw new Error('no rebuild');
    await store.projections.retire(swapped);
    expect(await readMarks(test)).toEqual({});
    await expectTraces(store);
  },

  'tables that only appends have written are not taken for empty, there and back': async (test) => {
    const { store } = test;
    const [old, current] = [linesOf(1), linesOf(2)];
    await register(store, old);
    await rebuildAndSwap(store, current);
    await appendInline(store, [current], 'Order-1', makeEvents(2));
    await takeBack(store, old);
    await expectLines(test);
    await appendInline(store, [old], 'Order-1');
    await swapBack(store, current);
    await expectLines(test);
    await takeBack(store, old);
    await runOnce(store, old);
    await expectLines(test);
    expect(Object.keys(await readMarks(test))).not.toContain('order_lines/live');
  },

  'a table that only appends have written comes back as it was': async (test) => {
    const { store } = test;
    await register(store, linesOf(1));
    await appendInline(store, [linesOf(1)], 'Order-1', makeEvents(2));
    const { rebuild, lease } = await buildBeside(store, linesOf(2));
    await swapAsItIs(store, rebuild, lease);
    await takeBack(store, linesOf(1));
    await expectLines(test);
    await runOnce(store, linesOf(1));
    await expectLines(test);
  },

  'swaps and rollbacks while several connections append with old and new code': async (test) => {
    const { store } = test;
    await register(store, first);
    await appendInline(store, [first], 'Order-0', makeEvents(5));
    await whileAppending(test, [[first], [first, second], [second], []], async () => {
      await rebuildAndSwap(store, second);
      await takeBack(store, first);
      await rebuildAndSwap(store, second);
      await takeBack(store, first);
    });
    // A stream in which nothing waits: the runner has at least these to pass over.
    await appendInline(store, [first], 'Order-last', makeEvents(2));
    await runOnce(store, first);
    await expectTraces(store);
  },

  'readers never see less than before': async (test) => {
    const { store, raw } = test;
    await register(store, first);
    await appendInline(store, [first], 'Order-0', makeEvents(5));
    let isOver = false;
    let most = 0;
    const reading = (async () => {
      while (!isOver) {
        const [row] = await raw.query('select coalesce(sum(length(trace)), 0) as seen from order_traces');
        const seen = Number(row?.seen);
        expect(seen).toBeGreaterThanOrEqual(most);
        most = seen;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    try {
      await whileAppending(
        test,
        [
          [first, second],
          [first, second],
        ],
        async () => {
          await rebuildAndSwap(store, second);
          await takeBack(store, first);
        },
      );
    } finally {
      isOver = true;
      await reading;
    }
  },

  'everything at once': async (test) => {
    const seed = freshSeed();
    const random = makeRandom(seed);
    const { store, raw } = test;
    await register(store, first, positionTraces);
    let isOver = false;
    const running = (async () => {
      while (!isOver) for (const code of [first, second]) await runOnce(store, code, positionTraces).catch(mayFail);
    })();
    const inserting = (async () => {
      while (!isOver) {
        await raw.query(insertRaw(`Order-${random.below(4)}`, 1 + random.below(3))).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, random.below(20)));
      }
    })();
    const all = [first, second, positionTraces];
    try {
      await whileAppending(test, [all, [first], [positionTraces, second], []], async () => {
        for (let round = 0; round < 4; round += 1) {
          await new Promise((resolve) => setTimeout(resolve, random.below(100)));
          if (round % 2 === 0) await rebuildAndSwap(store, second);
          else await takeBack(store, first);
        }
      });
    } finally {
      isOver = true;
      await Promise.all([running, inserting]);
    }
    await runOnce(store, first, positionTraces);
    await expectTraces(store);
    const positions = await readPositions(store);
    const log = (await store.log.streams()).reduce((sum, { events }) => sum + events, 0);
    expect(positions.length, `seed ${seed}`).toBe(log);
  },
});

type Code = Parameters<typeof appendInline>[1];

/** Each connection appends again and again, to a stream of its own and to a shared one, with code chosen in turn. */
async function whileAppending({ open }: TestStore, codes: readonly Code[], work: () => Promise<void>): Promise<void> {
  let isOver = false;
  const writers = codes.map(async (code, index) => {
    const store: Store = await open();
    for (let round = 0; !isOver; round += 1) {
      const inline = code.filter(
        ({ name }, place) => code.findLastIndex((each) => each.name === name) === place || round % 2 === 0,
      );
      const chosen = inline.filter(({ name }, place) => inline.findIndex((each) => each.name === name) === place);
      await appendInline(store, chosen, round % 3 === 0 ? 'Shared-1' : `Order-${index}`, makeEvents(1 + (round % 2)));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  try {
    await work();
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
}

/** Each line has its position as its key: an event that is applied twice is refused. */
function linesOf(version: number): PreparedProjection {
  return prepare({ ...orderLines.definition, version });
}

async function expectLines({ store, raw }: TestStore): Promise<void> {
  const rows = await raw.query('select position from order_lines order by position');
  expect(rows.map(({ position }) => Number(position))).toEqual(
    (await readAll(store)).map(({ globalPosition }) => globalPosition),
  );
}

/** The code is of another version than the tables are now. */
function mayFail(error: unknown): void {
  expect(error).toMatchObject({ code: expect.stringMatching(/^E_(STALE_PROJECTION|TIMEOUT)$/) });
}
