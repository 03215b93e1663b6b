/** Leases are kept in the row of the cursor they guard, on the database's clock. */
import { fence, keyOf, noRebuild, noSuchPart, toHolder } from '../../shared/leases.js';
import { toInteger } from '../../shared/rows.js';
import type { Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from '../../store.js';
import type { Session } from '../connection/database.js';
import type { Parameter } from '../connection/values.js';

export async function acquireLease(session: Session, target: LeaseTarget, request: LeaseRequest): Promise<LeaseAnswer> {
  const { owner, process = null, ttlMs, steal = false, code } = request;
  const parameters: Parameter[] = [keyOf(target), owner, ttlMs, steal, process];
  if (target.kind === 'checkpoint') parameters.push(code?.version ?? null, code?.codeHash ?? null);
  for (;;) {
    const rows = await session.ask(`acquire-${target.kind}`, parameters);
    const taken = rows.map((row) => row.map(toInteger));
    const [[token = 0, generation = 0] = []] = taken;
    const position = Math.max(0, ...taken.map(([, , each = 0]) => each));
    if (taken.length > 0) return { held: false, lease: { target, owner, token, generation, position } };
    const [holder] = await session.ask(`holder-${target.kind}`, [keyOf(target)]);
    const held = holder && toHolder(holder);
    // Otherwise it is not held any more: it was released or has expired between the two statements.
    if (held !== undefined && held.expiresInMs > 0) return held;
    if (held !== undefined) continue;
    if (target.kind === 'rebuild') throw noRebuild(target.id);
    const [made] = await session.ask('make-checkpoint', [target.subscriptionId]);
    if (made !== undefined) continue;
    // Another process may have made it in the same moment.
    const [other] = await session.ask('holder-checkpoint', [target.subscriptionId]);
    if (other === undefined) throw noSuchPart(target.subscriptionId);
  }
}

export async function renewLease(session: Session, lease: Lease, ttlMs: number, vitals: Vitals = {}): Promise<boolean> {
  const parameters = [...fence(lease), ttlMs, vitals.rate ?? null];
  return (await session.ask(`renew-${lease.target.kind}`, parameters)).length > 0;
}

export async function releaseLease(session: Session, lease: Lease): Promise<void> {
  await session.ask(`release-${lease.target.kind}`, [keyOf(lease.target), lease.token]);
}
