/** What exceeds the limits that a user gave: `lag --max-lag`, `--max-age`. */
import { formatDuration } from '../domain/duration.js';
import type { Finding } from '../domain/finding.js';
import { shellWord } from '../domain/shell-word.js';
import { runCommand } from '../domain/subscription-names.js';
import { count } from '../domain/words.js';
import type { LagReport, ProjectionLag } from '../projection/status/lag.js';
import { describeHeld, isHeld } from './held-back.js';

export interface LagLimits {
  readonly maxLag?: number | undefined;
  readonly maxAgeMs?: number | undefined;
}

export function judgeLimits(report: LagReport, limits: LagLimits): readonly Finding[] {
  const over = report.projections.flatMap((lag) => judgeProjection(lag, limits));
  return isHeldOver(report, limits) ? [describeHeld(report), ...over] : over;
}

/** Events that are committed and that no reader may see yet count for every projection. */
function isHeldOver(report: LagReport, { maxLag, maxAgeMs }: LagLimits): boolean {
  if (!isHeld(report)) return false;
  const held = report.head - report.safeHead;
  const furthest = Math.max(0, ...report.projections.map(({ lag }) => lag));
  const ageMs = report.heldBackBy?.ageMs ?? Number.POSITIVE_INFINITY;
  return (
    (maxLag !== undefined && furthest <= maxLag && furthest + held > maxLag) ||
    (maxLag !== undefined && held > maxLag) ||
    (maxAgeMs !== undefined && ageMs > maxAgeMs)
  );
}

function judgeProjection(projection: ProjectionLag, { maxLag, maxAgeMs }: LagLimits): readonly Finding[] {
  const { name, lag, estimated, positions, ageMs, imported } = projection;
  const found: Finding[] = [];
  const add = (kind: string, detail: string, next: string | null) =>
    found.push({ kind, severity: 'error', subject: name, detail, next });
  if (maxLag !== undefined && lag > maxLag) {
    add('over-lag', `is ${estimated ? 'about ' : ''}${count(lag, 'event')} behind`, nextOf(projection));
  } else if (maxLag !== undefined && estimated && positions > maxLag) {
    // An estimate may be too low: a check that cannot see does not say that all is well.
    const detail = `may be up to ${count(positions, 'event')} behind: they were sampled, not counted`;
    add('over-lag', detail, `evstore lag ${shellWord(name)} --count`);
  }
  if (maxAgeMs !== undefined && ageMs !== null && ageMs > maxAgeMs) {
    const since = imported ? ', counted from when its checkpoint last moved, because the event was imported' : '';
    add('over-age', `has an event waiting for ${formatDuration(ageMs)}${since}`, nextOf(projection));
  }
  return found;
}

/** Returns the command that makes it catch up; another program has to run a foreign subscription. */
export function nextOf({ name, status, owner }: ProjectionLag): string | null {
  if (status === 'foreign') return null;
  if (owner !== null) return `evstore lag ${shellWord(name)} --watch`;
  return runCommand(name);
}
