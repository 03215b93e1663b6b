import { describe, expect, it } from 'vitest';
import type { StoredRow } from '../../src/domain/read-model.js';
import { toTableShape } from '../../src/projection/define/columns.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import { HeldRows } from '../../src/projection/fold/held-rows.js';
import { KeyFilter } from '../../src/projection/fold/key-filter.js';

const shape = toTableShape(
  defineProjection({
    name: 'texts',
    version: 1,
    table: { columns: { id: 'text', text: 'text' }, key: 'id' },
    on: {},
  }),
);
const keep = (isEmpty: boolean, limit?: number) => new HeldRows(shape, { isEmpty, limit });
const keyOf = (text: string) => ({ text, columns: { id: text } });

/** As an event does. */
function change(rows: HeldRows, text: string, row: StoredRow | null): void {
  const found = rows.get(text) ?? rows.begin(keyOf(text));
  if (found === undefined) rows.learn(keyOf(text), null);
  rows.replace(rows.find(keyOf(text)), row);
}

function write(rows: HeldRows, text: string, row: StoredRow | null): void {
  change(rows, text, row);
  rows.takeChanges('texts');
}

const isKnown = (rows: HeldRows, text: string) => rows.get(text) !== undefined;

describe('rows in memory', () => {
  it('tell a row that does not exist from one that is not in memory', () => {
    const rows = keep(false);
    rows.learn(keyOf('a'), { id: 'a' });
    rows.learn(keyOf('b'), null);
    expect(['a', 'b', 'c'].map((text) => rows.get(text)?.row)).toEqual([{ id: 'a' }, null, undefined]);
    expect(() => rows.find(keyOf('c'))).toThrow('was not looked up');
  });

  it('tell which rows a table that began empty cannot have, even after dropping rows', () => {
    const rows = keep(true, 10_000);
    expect(rows.begin(keyOf('anything'))).toMatchObject({ row: null, isNew: true });
    for (let index = 0; index < 200; index += 1) write(rows, `k${index}`, { id: `k${index}` });
    expect(isKnown(rows, 'k0')).toBe(false);
    expect(rows.begin(keyOf('k0'))).toBeUndefined();
    expect(rows.get('k199')?.row).toEqual({ id: 'k199' });
    expect(rows.begin(keyOf('never'))).toMatchObject({ row: null, isNew: true });
  });

  it('are looked up again after a failure, because they may have been written', () => {
    const rows = keep(true);
    change(rows, 'a', { id: 'a' });
    rows.forget();
    expect(isKnown(rows, 'a')).toBe(false);
    expect(rows.begin(keyOf('a'))).toBeUndefined();
    expect(rows.begin(keyOf('b'))).toBeDefined();
  });

  it('count with their present size, not the one they were added with', () => {
    const rows = keep(true, 100_000);
    for (let length = 1; length <= 4_096; length *= 2) {
      for (let index = 0; index < 50; index += 1) write(rows, `k${index}`, { id: index, text: 'x'.repeat(length) });
    }
    const kept = Array.from({ length: 50 }, (_, index) => `k${index}`).filter((text) => isKnown(rows, text));
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.length).toBeLessThan(30);
  });

  it('stay in memory while they are used', () => {
    const rows = keep(false, 10_000);
    for (let index = 0; index < 500; index += 1) {
      write(rows, `k${index}`, { id: index });
      write(rows, 'often', { id: index });
      expect(rows.get('often')?.row).toEqual({ id: index });
    }
  });

  it('stay in memory until they are written, and say when they have to be', () => {
    const rows = keep(false, 100_000);
    const row = { id: 'k', text: 'x'.repeat(1_000) };
    for (let index = 0; index < 1_000; index += 1) change(rows, `k${index}`, row);
    expect(rows.isFull).toBe(true);
    expect(isKnown(rows, 'k0')).toBe(true);
    rows.takeChanges('texts');
    expect(rows.isFull).toBe(false);
    expect(isKnown(rows, 'k0')).toBe(true);
  });

  it('stay below their limit', () => {
    const rows = keep(false, 100_000);
    const row = { id: 'k', text: 'x'.repeat(1_000) };
    for (let index = 0; index < 1_000; index += 1) write(rows, `k${index}`, row);
    const kept = Array.from({ length: 1_000 }, (_, index) => `k${index}`).filter((text) => isKnown(rows, text));
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(100);
  });
});

it('a filter of keys may hold every key it was given, and few others', () => {
  const filter = new KeyFilter();
  const keys = Array.from({ length: 100_000 }, (_, index) => `Order-${index}`);
  for (const key of keys) filter.add(key);
  expect(keys.every((key) => filter.mayHold(key))).toBe(true);
  const others = Array.from({ length: 100_000 }, (_, index) => `Order-${100_000 + index}`);
  expect(others.filter((key) => filter.mayHold(key)).length).toBeLessThan(200);
});
