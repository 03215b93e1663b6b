/** Leases are kept in the row of the cursor they guard, on the database's clock. */
import { fence, keyOf, noRebuild, noSuchPart, toHolder } from '../../shared/leases.js';
import { toInteger } from '../../shared/rows.js';
import type { Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from '../../store.js';
import type { Session } from '../connection/database.js';
import type { Parameter } from '../connection/values.js';

/** @param session in a transaction */
export function acquireLease(session: Session, target: LeaseTarget, request: LeaseRequest): LeaseAnswer {
  const { owner, process = null, ttlMs, steal = false, code } = request;
  const parameters: Parameter[] = [keyOf(target), owner, ttlMs, steal ? 1 : 0, nextToken(session), process];
  if (target.kind === 'checkpoint') parameters.push(code?.version ?? null, code?.codeHash ?? null);
  for (;;) {
    const taken = session.ask(`acquire-${target.kind}`, parameters).map((row) => row.map(toInteger));
    const [[token = 0, generation = 0] = []] = taken;
    const position = Math.max(0, ...taken.map(([, , each = 0]) => each));
    if (taken.length > 0) return { held: false, lease: { target, owner, token, generation, position } };
    const [holder] = session.ask(`holder-${target.kind}`, [keyOf(target)]);
    if (holder !== undefined) {
      const held = toHolder(holder);
      return { ...held, expiresInMs: Math.max(1, held.expiresInMs) };
    }
    if (target.kind === 'rebuild') throw noRebuild(target.id);
    const [made] = session.ask('make-checkpoint', [target.subscriptionId]);
    if (made === undefined) throw noSuchPart(target.subscriptionId);
  }
}

export function renewLease(session: Session, lease: Lease, ttlMs: number, vitals: Vitals = {}): boolean {
  const parameters = [...fence(lease), ttlMs, vitals.rate ?? null];
  return session.ask(`renew-${lease.target.kind}`, parameters).length > 0;
}

export function releaseLease(session: Session, lease: Lease): void {
  session.ask(`release-${lease.target.kind}`, [keyOf(lease.target), lease.token]);
}

/** Rolled back with the transaction that drew it. */
export function nextToken(session: Session): number {
  return toInteger(session.ask('next-token')[0]?.[0]);
}
