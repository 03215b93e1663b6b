/** Spans of time for people. */

const units: readonly (readonly [name: string, milliseconds: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** Of the Gregorian calendar, on average. */
const year = 365.2425 * 86_400_000;

/**
 * In the largest unit that is not 0: `850 ms`, `12 s`, `3 min`, `5 h`, `59 d`. From a year on in months, and from two years
 * on in years: `13 months`, `14 y`. @param milliseconds from 0
 */
export function formatDuration(milliseconds: number): string {
  if (milliseconds >= 2 * year) return `${Math.floor(milliseconds / year)} y`;
  if (milliseconds >= year) return `${Math.floor((milliseconds / year) * 12)} months`;
  for (const [name, size] of units) {
    if (milliseconds >= size) return `${Math.floor(milliseconds / size)} ${name}`;
  }
  return `${Math.round(milliseconds)} ms`;
}

/** In the two largest units: `850 ms`, `2 min 41 s`, `3 h`. @param milliseconds from 0 */
export function formatElapsed(milliseconds: number): string {
  const at = units.findIndex(([, size]) => milliseconds >= size);
  const [, size = 1] = units[at] ?? [];
  const next = units[at + 1];
  const left = milliseconds % size;
  if (at === -1 || next === undefined || left < next[1]) return formatDuration(milliseconds);
  return `${formatDuration(milliseconds)} ${Math.floor(left / next[1])} ${next[0]}`;
}
