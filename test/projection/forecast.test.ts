import { expect, it } from 'vitest';
import { countMatching } from '../../src/projection/rebuild/forecast.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';

forEachEngine((engine) => {
  it('counts few events, and samples slices of many', () =>
    withTestStore(engine, async ({ store }) => {
      const types = ['OrderPlaced', 'OrderPaid', 'OrderPlaced', 'OrderShipped'];
      for (let index = 0; index < 4; index += 1) {
        await append(
          store,
          `Order-${index}`,
          makeEvents(500, (at) => ({ type: types[at % 4] ?? '' })),
        );
      }
      await append(store, 'Customer-1', makeEvents(2_000));
      const { safeHead } = await store.log.head();
      const filter = { category: 'Order', types: ['OrderPlaced'] };
      expect(await countMatching(store.log, filter, 0, safeHead)).toEqual({ amount: 1_000, how: 'counted' });
      expect(await countMatching(store.log, filter, safeHead, safeHead)).toEqual({ amount: 0, how: 'counted' });
      const sampled = await countMatching(store.log, filter, 0, safeHead, 800);
      expect(sampled.how).toBe('sampled');
      // Of a category that is the first half of the log, and half of its events.
      expect(sampled.amount).toBeGreaterThan(900);
      expect(sampled.amount).toBeLessThan(1_100);
      const asked: { after: number; to: number }[] = [];
      const tally = (range: { after: number; to: number }) => {
        asked.push(range);
        return store.log.tally(range, filter);
      };
      await countMatching({ ...store.log, tally } as never, filter, 0, safeHead, 800);
      expect(asked.at(0)?.after).toBe(0);
      expect(asked.at(-1)?.to).toBe(safeHead);
      expect(asked.reduce((sum, { after, to }) => sum + to - after, 0)).toBeLessThanOrEqual(800);
    }));
});
