/** Which glyph a subscription has in a list. */
import type { ProjectionLag } from '../projection/status/lag.js';
import type { Mark } from './glyphs.js';

export function markOf({ status, stale, parked, overdue = 0 }: ProjectionLag): Mark {
  if (status === 'failed') return 'bad';
  if (stale || parked > 0 || overdue > 0) return 'caution';
  return status === 'running' || status === 'rebuilding' ? 'active' : 'idle';
}
