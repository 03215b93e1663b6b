/** Returns a number with its noun: `1 event`, `3 events`, `2 indexes`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
