/** Leases live in the row of the cursor they guard, on the database's clock. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from '../../store.js';
import type { Parameter, Session } from '../connection/database.js';
import { toInteger, toText } from '../connection/rows.js';

/** @param session in a transaction */
export function acquireLease(
  session: Session,
  sql: SqlFolder,
  target: LeaseTarget,
  request: LeaseRequest,
): LeaseAnswer {
  const { owner, ttlMs, steal = false, code } = request;
  const parameters: Parameter[] = [keyOf(target), owner, ttlMs, steal ? 1 : 0, nextToken(session, sql)];
  if (target.kind === 'checkpoint') parameters.push(code?.version ?? null, code?.codeHash ?? null);
  for (;;) {
    const taken = session.query(sql(`acquire-${target.kind}`), parameters).map((row) => row.map(toInteger));
    const [[token = 0, generation = 0] = []] = taken;
    const position = Math.max(0, ...taken.map(([, , each = 0]) => each));
    if (taken.length > 0) return { held: false, lease: { target, owner, token, generation, position } };
    const [holder] = session.query(sql(`holder-${target.kind}`), [keyOf(target)]);
    if (holder !== undefined) {
      return { held: true, owner: toText(holder[0]), expiresInMs: Math.max(1, toInteger(holder[1])) };
    }
    if (target.kind === 'rebuild') throw noRebuild(target.id);
    const [made] = session.query(sql('make-checkpoint'), [target.subscriptionId]);
    if (made === undefined) throw dividedOtherwise(target.subscriptionId);
  }
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

function noRebuild(id: number): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no rebuild ${id}`, { next: 'evstore projections' });
}

function dividedOtherwise(subscriptionId: string): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `there is no checkpoint ${subscriptionId}`, {
    why: 'The projection is divided otherwise.',
    next: 'evstore checkpoints',
  });
}

function keyOf(target: LeaseTarget): string | number {
  return target.kind === 'checkpoint' ? target.subscriptionId : target.id;
}

function describeTarget(target: LeaseTarget): string {
  return target.kind === 'checkpoint' ? target.subscriptionId : `rebuild ${target.id}`;
}
