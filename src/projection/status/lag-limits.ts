/** Finds the projections that are too far behind. */
import { count } from '../../domain/words.js';
import type { ProjectionLag } from './lag.js';

export interface LagLimits {
  readonly maxLag?: number | undefined;
  readonly maxAgeMs?: number | undefined;
}

/** Returns a phrase for each limit that is exceeded. */
export function findOverLimit(projections: readonly ProjectionLag[], limits: LagLimits): readonly string[] {
  const { maxLag, maxAgeMs } = limits;
  return projections.flatMap(({ name, lag, ageMs }) => [
    ...(maxLag !== undefined && lag > maxLag ? [`${name} is ${count(lag, 'event')} behind`] : []),
    ...(maxAgeMs !== undefined && ageMs !== null && ageMs > maxAgeMs
      ? [`${name} has an event waiting for ${(ageMs / 1_000).toFixed(1)} s`]
      : []),
  ]);
}
