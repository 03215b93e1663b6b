/** What is made of repeated figures. */

/** The value below which this share of the figures lies, between two of them where it falls so. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarise(figures: readonly number[]): Spread {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) };
}

/**
 * How many times one is of the other: the ratio of the medians, and the lowest and highest among runs that followed each
 * other, which the machine's moods touch alike.
 */
export function compareRuns(figures: readonly number[], others: readonly number[]): Spread {
  const pairs = figures.slice(0, others.length).map((figure, run) => figure / (others[run] ?? Number.NaN));
  return { median: median(figures) / median(others), min: Math.min(...pairs), max: Math.max(...pairs) };
}
