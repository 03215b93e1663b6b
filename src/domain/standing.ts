/** The position of a projection, from its checkpoint or from those of its parts. */

import { type Audit, parseAudit, writeAuditFilter } from './audit.js';
import { EvstoreError } from './errors.js';
import { groupDigits } from './numbers.js';

export interface Standing {
  readonly position: number;
  readonly lastEventId: string | null;
  /** As stored. */
  readonly audit: string | null;
}

export interface PartStanding extends Standing {
  /** `NAME`, or `NAME#2/3`. */
  readonly subscriptionId: string;
  /** The owner of its lease. */
  readonly owner: string | null;
  readonly generation: number;
}

export interface JoinedStanding {
  /** The position of the part that is furthest. */
  readonly furthest: number;
  /** The position of all parts; null if they differ. */
  readonly level: number | null;
  readonly lastEventId: string | null;
  /** The value of all parts; null if they differ. */
  readonly audit: string | null;
}

/** @param parts at least one */
export function joinStandings(parts: readonly Standing[]): JoinedStanding {
  const furthest = Math.max(...parts.map(({ position }) => position));
  if (parts.some(({ position }) => position < furthest)) {
    return { furthest, level: null, lastEventId: null, audit: null };
  }
  const lastEventId = parts.find((part) => part.lastEventId !== null)?.lastEventId ?? null;
  const [audit = null, ...others] = parts.map((part) => part.audit);
  const isSame = others.every((other) => other !== null && audit !== null && isSameAudit(other, audit));
  return { furthest, level: furthest, lastEventId, audit: isSame ? audit : null };
}

/**
 * Checks that the number of parts can change: no part is running, and all are at one position.
 * @throws E_LOCK_HELD, E_CHECK_FAILED, E_UNSAFE_STORE as `ProjectionStore.divide`
 */
export function assertDivisible(projection: string, parts: readonly PartStanding[]): void {
  const held = parts.filter(({ owner }) => owner !== null);
  const [first] = held;
  if (first?.owner) {
    throw new EvstoreError(
      'E_LOCK_HELD',
      `${held.map(describeHolder).join(', ')}; stop it before changing the number of parts`,
      {
        why: 'Each row has one writer, so the number of parts changes only while none is running.',
        next: 'evstore lag',
        details: {
          owner: first.owner,
          held: held.map(({ subscriptionId, owner }) => ({ name: subscriptionId, owner })),
        },
      },
    );
  }
  if (joinStandings(parts).level === null) {
    const where = parts
      .map(({ subscriptionId, position }) => `${subscriptionId} at ${groupDigits(position)}`)
      .join(', ');
    throw new EvstoreError('E_CHECK_FAILED', `the parts of ${projection} are at different positions`, {
      why: `${where}. The number of parts can change only when all are at one position.`,
      next: `evstore run ${projection} --once`,
      details: { parts: parts.map(({ subscriptionId, position }) => ({ name: subscriptionId, position })) },
    });
  }
  if (contradict(parts)) {
    throw new EvstoreError('E_UNSAFE_STORE', `the parts of ${projection} did not get the same events`, {
      why: 'A part missed events. After a change of the parts, the gap could no longer be found.',
      next: 'evstore verify',
    });
  }
}

/** Returns whether two parts at one position got different events of one filter since the same position. */
function contradict(parts: readonly Standing[]): boolean {
  const audits = parts.flatMap(({ audit }) => (audit === null ? [] : [parseAudit(audit)]));
  return audits.some((a) => audits.some((b) => beganTogether(a, b) && !isSameTally(a, b)));
}

function isSameAudit(a: string, b: string): boolean {
  const [left, right] = [parseAudit(a), parseAudit(b)];
  return beganTogether(left, right) && isSameTally(left, right);
}

function beganTogether(a: Audit, b: Audit): boolean {
  return a.after === b.after && writeAuditFilter(a.filter) === writeAuditFilter(b.filter);
}

function isSameTally(a: Audit, b: Audit): boolean {
  return a.events === b.events && a.idSum === b.idSum;
}

function describeHolder({ subscriptionId, owner }: PartStanding): string {
  return `${owner} is running ${subscriptionId}`;
}
