/** Who keeps readers from seeing what is there already. */
import type { Head } from '../domain/event.js';
import { formatDuration } from './relative-time.js';

/** Null when nobody does. */
export function describeHolder({ head, safeHead, heldBackBy }: Head): string | null {
  if (heldBackBy === null) return null;
  const { pid, gid, application, state, ageMs } = heldBackBy;
  const who = pid === null ? `prepared transaction ${gid}` : `process ${pid}`;
  const age = ageMs === null ? '-' : formatDuration(ageMs);
  const what = `${application || 'no name'}, ${state ?? 'unknown state'}, for ${age}`;
  return `readers are held at position ${safeHead} of ${head} by ${who} (${what})`;
}
