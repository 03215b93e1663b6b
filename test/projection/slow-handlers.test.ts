/** Handlers that take long: a part of a batch is written before all of it is done, so a stop loses little work. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  defineExternalProjection,
  defineProjection,
  defineSqlProjection,
} from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import type { AppliedBatch, Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { orderSql, orderSummary, placeOrders, prepare, rebuildNow, runOnce } from './orders.js';

const eventMs = 8;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function work(): void {
  vi.advanceTimersByTime(eventMs);
}

const slowTable = defineProjection({
  ...orderSummary,
  on: {
    OrderPlaced: (row, event) => {
      work();
      return orderSummary.on.OrderPlaced(row, event);
    },
    OrderRemoved: () => null,
  },
});

const slowSql = defineSqlProjection({
  ...orderSql,
  on: {
    OrderPlaced: (event, t) => {
      work();
      return orderSql.on.OrderPlaced(event, t);
    },
    OrderRemoved: orderSql.on.OrderRemoved,
  },
});

const slowExternal = defineExternalProjection({
  name: 'order_feed',
  version: 1,
  category: 'Order',
  open: () => undefined,
  write: (_connection, { events }) => {
    for (const _event of events) work();
  },
  promote: () => {},
  drop: () => {},
});

/** How many events each transaction wrote. */
function watchWrites(store: Store) {
  const written: number[] = [];
  const projections = new Proxy(store.projections, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'apply') return typeof value === 'function' ? value.bind(target) : value;
      return async (batch: AppliedBatch) => {
        await target.apply(batch);
        written.push(batch.seen?.events ?? 0);
      };
    },
  });
  return { store: { ...store, projections } as Store, written };
}

type Doing = (store: Store, projection: PreparedProjection) => Promise<unknown>;

const run: Doing = (store, projection) => runOnce(store, [projection]);

forEachEngine((engine) => {
  it.each([
    { what: 'a run of a table projection', doing: run, slow: slowTable, events: 200 },
    { what: 'a rebuild of a table projection', doing: rebuildNow, slow: slowTable, events: 200 },
    { what: 'a run of an inline projection', doing: run, slow: { ...slowTable, mode: 'inline' as const }, events: 80 },
    { what: 'a run of a SQL projection', doing: run, slow: slowSql, events: 80 },
    { what: 'a run of an external projection', doing: run, slow: slowExternal, events: 80 },
  ])('$what writes before it has handled all events of a batch', ({ doing, slow, events }) =>
    withTestStore(engine, async (test) => {
      await placeOrders(test.store, events);
      const { store, written } = watchWrites(test.store);
      await doing(store, prepare(slow));
      expect(written.length).toBeGreaterThan(1);
      expect(written.reduce((sum, each) => sum + each, 0)).toBe(events);
    }),
  );
});
