/** The order of keys, the same for both engines: of numbers by value, of all others as text. */
import type { StoredRow, StoredValue } from '../../domain/read-model.js';

export function compareKeys(a: StoredRow, b: StoredRow): number {
  for (const [name, value] of Object.entries(a)) {
    const order = compareValues(value, b[name] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: StoredValue, b: StoredValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
