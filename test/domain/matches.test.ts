import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuditFilter } from '../../src/domain/audit.js';
import { matches, uniteFilters } from '../../src/domain/matches.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent, readAll } from '../support/events.js';
import { freshSeed } from '../support/random.js';

/** Names that are near each other in order, in spelling, or to what an engine could take for a pattern. */
const categories = [
  'Order',
  'Order.',
  'Order,',
  'order',
  'Orders',
  'Or',
  'user_a',
  'userXa',
  '100%',
  'Ünder',
  '😀',
  'a\\',
];
const types = ['Placed', 'placed', 'Placed ', 'constructor', '__proto__', 'Größe', '%', ''];
const names = categories.flatMap((category) => ['', '-', '-1', '-1-2', '.', '-ü', '--'].map((rest) => category + rest));

const filters: fc.Arbitrary<AuditFilter> = fc.record(
  { category: fc.constantFrom(...categories), types: fc.uniqueArray(fc.constantFrom(...types), { maxLength: 4 }) },
  { requiredKeys: [] },
);

forEachEngine((engine) => {
  it('lets through what the store does, alone and in a union', () =>
    withTestStore(engine, async ({ store }) => {
      const seed = freshSeed();
      const said = types.filter((type) => type !== '');
      for (const [index, streamId] of names.entries()) {
        await append(store, streamId, [
          makeEvent({ type: said[index % said.length] ?? '' }),
          makeEvent({ type: said[(index * 3 + 1) % said.length] ?? '' }),
        ]);
      }
      const all = await readAll(store);
      await fc.assert(
        fc.asyncProperty(fc.array(filters, { minLength: 1, maxLength: 4 }), async (some) => {
          const union = uniteFilters(some);
          const read = await readAll(store, union);
          expect(read).toEqual(all.filter((event) => matches(union, event)));
          for (const filter of some) {
            expect(read.filter((event) => matches(filter, event))).toEqual(await readAll(store, filter));
          }
        }),
        { seed, numRuns: 60 },
      );
    }));
});

it('is no wider than it has to be', () => {
  expect(
    uniteFilters([
      { category: 'A', types: ['X'] },
      { category: 'A', types: ['Y', 'X'] },
    ]),
  ).toEqual({
    category: 'A',
    types: ['X', 'Y'],
  });
  expect(
    uniteFilters([
      { category: 'A', types: ['X'] },
      { category: 'B', types: ['Y'] },
    ]),
  ).toEqual({ types: ['X', 'Y'] });
  expect(uniteFilters([{ category: 'A' }, { types: ['Y'] }])).toEqual({});
  expect(uniteFilters([{ category: 'A', types: [] }])).toEqual({ category: 'A', types: [] });
});
