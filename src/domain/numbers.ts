/** Numbers for people: `209,048`. */
export function groupDigits(value: number): string {
  return value.toLocaleString('en-US');
}

/** `850 B`, `12 kB`, `3.4 GB`. @param bytes from 0 */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1_000 && unit < units.length - 1) [size, unit] = [size / 1_000, unit + 1];
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
