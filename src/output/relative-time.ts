/** Relative times for people, in the largest unit that is not 0. */

const units: readonly (readonly [name: string, milliseconds: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** `3 min ago`, `just now`, `in 2 h` for a clock that is behind. @param timestamp RFC 3339 */
export function formatAgo(timestamp: string, now: Date): string {
  const elapsed = now.getTime() - Date.parse(timestamp);
  if (Number.isNaN(elapsed)) return timestamp;
  if (Math.abs(elapsed) < 1_000) return 'just now';
  return elapsed > 0 ? `${formatDuration(elapsed)} ago` : `in ${formatDuration(-elapsed)}`;
}

/** `850 ms`, `12 s`, `3 min`, `5 h`, `2 d`. @param milliseconds from 0 */
export function formatDuration(milliseconds: number): string {
  for (const [name, size] of units) {
    if (milliseconds >= size) return `${Math.floor(milliseconds / size)} ${name}`;
  }
  return `${Math.round(milliseconds)} ms`;
}
