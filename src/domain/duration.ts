/** Spans of time for people, in the largest unit that is not 0. */

const units: readonly (readonly [name: string, milliseconds: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** `850 ms`, `12 s`, `3 min`, `5 h`, `2 d`. @param milliseconds from 0 */
export function formatDuration(milliseconds: number): string {
  for (const [name, size] of units) {
    if (milliseconds >= size) return `${Math.floor(milliseconds / size)} ${name}`;
  }
  return `${Math.round(milliseconds)} ms`;
}
