/** Cases about what hangs on a table when it is swapped. */
import { expect } from 'vitest';
import type { Case } from '../conformance/suite.js';
import type { Raw, TestStore } from './engines.js';
import { append, makeEvents } from './events.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  request,
  runToHead,
  startProjection,
  takeLease,
  totals,
} from './read-models.js';

export const options = { lockTimeoutMs: 2_000, keepOldMs: 3_600_000 };
export const columns = 'stream_id, events, total';

export interface Dependent {
  readonly name: string;
  readonly create: readonly string[];
  /** Throws unless the dependent hangs on the table that is called `order_totals` now. */
  readonly expectFollowed: (raw: Raw, test: TestStore) => Promise<void>;
}

export async function prepare({ store }: TestStore) {
  const live = await startProjection(store);
  for (let index = 0; index < 6; index++) await append(store, `Order-${index % 3}`, makeEvents(2));
  await runToHead(store, live);
  return live;
}

/** Swaps in a new table and writes to it, twice over with a rollback between. */
async function swapThereAndBack(test: TestStore, { expectFollowed }: Dependent): Promise<void> {
  const { store, raw } = test;
  const take = () => takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
  const { rebuild, lease } = await buildNext(store, 2);
  let current = await store.projections.swap(rebuild, { rebuild: lease, live: await take() }, options);
  await expectFollowed(raw, test);
  current = await store.projections.rollback(
    current,
    { rebuild: lease, live: await take() },
    { ...options, goBack: true },
  );
  await expectFollowed(raw, test);
  await store.projections.swap(current, { rebuild: lease, live: await take() }, options);
  await expectFollowed(raw, test);
  await append(store, 'Order-7', makeEvents(3));
  await expectFold(store, await runToHead(store, await take()));
}

/** Nothing has changed: the live table, what it holds, and who reads it. */
export async function expectUntouched({ store }: TestStore): Promise<void> {
  expect(await store.projections.list()).toMatchObject([{ version: 1 }]);
  await expectFold(store, (await store.log.head()).safeHead);
}

export const follows =
  (dependent: Dependent): Case =>
  async (test) => {
    await prepare(test);
    for (const sql of dependent.create) await test.raw.query(sql);
    const [facts] = await test.store.projections.inspectTables([totals.name]);
    expect(facts?.blocking).toEqual([]);
    const known = [...(facts?.carried.map(({ name }) => name) ?? []), ...(facts?.indexes ?? [])];
    expect(known.join()).toContain(dependent.name);
    await swapThereAndBack(test, dependent);
  };

export const everyRow = `select ${columns} from order_totals order by stream_id`;
