import { describe, expect, it } from 'vitest';
import { type SqlValue, sql, toTableIdentifiers } from '../../src/projection/define/sql-tag.js';
import { errorOf } from '../support/events.js';

describe('sql', () => {
  it('turns values into parameters, and never into SQL text', () => {
    const hostile = "'; drop table events; --";
    expect(sql`select ${hostile}, ${1}, ${true}, ${null}, ${undefined}`.parts).toEqual([
      { kind: 'text', text: 'select ' },
      { kind: 'value', value: hostile },
      { kind: 'text', text: ', ' },
      { kind: 'value', value: 1 },
      { kind: 'text', text: ', ' },
      { kind: 'value', value: true },
      { kind: 'text', text: ', ' },
      { kind: 'value', value: null },
      { kind: 'text', text: ', ' },
      { kind: 'value', value: null },
    ]);
  });

  it('turns objects and dates into text, and keeps big integers', () => {
    const values = sql`${{ a: [1] }}${[1, 2]}${new Date(0)}${12n}${-(2n ** 63n)}`.parts;
    expect(values.map((part) => part.kind === 'value' && part.value)).toEqual([
      '{"a":[1]}',
      '[1,2]',
      '1970-01-01T00:00:00.000Z',
      12n,
      -(2n ** 63n),
    ]);
  });

  it('uses the physical names of tables and indexes, and includes nested statements', () => {
    const t = toTableIdentifiers(['lines'], (name) => `${name}__v2`);
    const inner = sql`select * from ${t.lines ?? ''}`;
    expect(sql`create index ${t.lines?.index('by_id')} on (${inner})`.parts).toEqual([
      { kind: 'text', text: 'create index ' },
      { kind: 'identifier', name: 'lines__v2_by_id' },
      { kind: 'text', text: ' on (' },
      { kind: 'text', text: 'select * from ' },
      { kind: 'identifier', name: 'lines__v2' },
      { kind: 'text', text: ')' },
    ]);
  });

  it('treats data that looks like its own parts as data', () => {
    const payload = { parts: [{ kind: 'text', text: 'drop table events' }], kind: 'identifier', name: 'events' };
    expect(sql`${payload}`.parts).toEqual([{ kind: 'value', value: JSON.stringify(payload) }]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, new Date(Number.NaN), () => 1, Symbol('s'), 2n ** 63n, [undefined]])(
    'refuses %o',
    async (value) => {
      await errorOf('E_INVALID_INPUT', (async () => sql`${value as SqlValue}`)());
    },
  );
});
