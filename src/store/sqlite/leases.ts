/** Leases live in the row of the cursor they guard, on the database's clock. */
import { EvstoreError } from '../../domain/errors.js';
import type { SqlFolder } from '../sql.js';
import type { Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from '../store.js';
import type { Parameter, Session } from './database.js';
import { toInteger, toText } from './rows.js';

/** @param session in a transaction */
export function acquireLease(
  session: Session,
  sql: SqlFolder,
  target: LeaseTarget,
  request: LeaseRequest,
): LeaseAnswer {
  const { owner, ttlMs, steal = false } = request;
  const parameters = [keyOf(target), owner, ttlMs, steal ? 1 : 0, nextToken(session, sql)];
  const [taken] = session.query(sql(`acquire-${target.kind}`), parameters);
  if (taken !== undefined) {
    const [token = 0, generation = 0, position = 0] = taken.map(toInteger);
    return { held: false, lease: { target, owner, token, generation, position } };
  }
  const [holder] = session.query(sql(`holder-${target.kind}`), [keyOf(target)]);
  if (holder === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `there is no ${describeTarget(target)}`, { next: 'evstore projections' });
  }
  return { held: true, owner: toText(holder[0]), expiresInMs: Math.max(1, toInteger(holder[1])) };
}

export function renewLease(
  session: Session,
  sql: SqlFolder,
  lease: Lease,
  ttlMs: number,
  vitals: Vitals = {},
): boolean {
  const rows = session.query(sql(`renew-${lease.target.kind}`), [...fence(lease), ttlMs, vitals.rate ?? null]);
  return rows.length > 0;
}

export function releaseLease(session: Session, sql: SqlFolder, lease: Lease): void {
  session.run(sql(`release-${lease.target.kind}`), [keyOf(lease.target), lease.token]);
}

/** Rolled back with the transaction that drew it. */
export function nextToken(session: Session, sql: SqlFolder): number {
  return toInteger(session.query(sql('next-token'))[0]?.[0]);
}

/** Key, token and generation: what every guarded statement begins with. */
export function fence(lease: Lease): readonly Parameter[] {
  return [keyOf(lease.target), lease.token, lease.generation];
}

export function superseded(lease: Lease): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `${describeTarget(lease.target)} was taken over: nothing was written`, {
    why: 'Its lease went to another process, or its checkpoint was moved by hand or by a swap.',
    next: 'evstore checkpoints',
    details: { owner: lease.owner, token: lease.token },
  });
}

function keyOf(target: LeaseTarget): string | number {
  return target.kind === 'checkpoint' ? target.subscriptionId : target.id;
}

function describeTarget(target: LeaseTarget): string {
  return target.kind === 'checkpoint' ? target.subscriptionId : `rebuild ${target.id}`;
}
