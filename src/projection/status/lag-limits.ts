/** Which projections are too far behind, for checks. */
import type { ProjectionLag } from './lag.js';

export interface LagLimits {
  readonly maxLag?: number | undefined;
  readonly maxAgeMs?: number | undefined;
}

/** One phrase for each limit that is passed. */
export function findOverLimit(projections: readonly ProjectionLag[], limits: LagLimits): readonly string[] {
  const { maxLag, maxAgeMs } = limits;
  return projections.flatMap(({ name, lag, ageMs }) => [
    ...(maxLag !== undefined && lag > maxLag ? [`${name} is ${lag} ${lag === 1 ? 'event' : 'events'} behind`] : []),
    ...(maxAgeMs !== undefined && ageMs !== null && ageMs > maxAgeMs
      ? [`${name} has an event waiting for ${(ageMs / 1_000).toFixed(1)} s`]
      : []),
  ]);
}
