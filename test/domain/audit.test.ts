import { expect, test } from 'vitest';
import { parseAudit, tallyIds, writeAuditFilter } from '../../src/domain/audit.js';

test('ids add up by their last 32 bits, in either case and any order', () => {
  const [one, two] = ['00000000-0000-4000-8000-0000FFFFFFFF', '11111111-1111-7111-9111-111100000002'];
  expect(tallyIds([one, two])).toEqual({ events: 2, idSum: 4_294_967_297n });
  expect(tallyIds([two, one.toLowerCase()])).toEqual(tallyIds([one, two]));
  expect(tallyIds([])).toEqual({ events: 0, idSum: 0n });
});

test('the same filter is the same text', () => {
  expect(writeAuditFilter({ types: ['B', 'A', 'B'], category: 'Order' })).toBe(
    '{"category":"Order","types":["A","B"]}',
  );
  expect(writeAuditFilter({})).toBe('{}');
  expect(writeAuditFilter({ types: [] })).not.toBe(writeAuditFilter({}));
});

test('a sum beyond 2^53 is not rounded, whatever the engine puts between the colon and the number', () => {
  for (const space of ['', ' ']) {
    const text = `{"filter":"{\\"types\\":[\\"\\\\\\"idSum\\\\\\":1\\"]}","after":3,"events":7,"idSum":${space}9007199254740993}`;
    expect(parseAudit(text)).toEqual({
      filter: { types: ['"idSum":1'] },
      after: 3,
      events: 7,
      idSum: 9_007_199_254_740_993n,
    });
  }
});
