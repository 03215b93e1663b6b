import { groupDigits } from './numbers.js';

/** Returns a number with its noun: `1 event`, `3 events`, `2 indexes`, `10,904 rows`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${groupDigits(amount)} ${amount === 1 ? one : many}`;
}
