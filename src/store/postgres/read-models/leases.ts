/** Leases live in the row of the cursor they guard, on the database's clock. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from '../../store.js';
import type { Parameter, Session } from '../connection/database.js';
import { toInteger, toText } from '../connection/rows.js';

const statements = {
  checkpoint: {
    acquire: 'acquire-checkpoint',
    holder: 'holder-checkpoint',
    renew: 'renew-checkpoint',
    release: 'release-checkpoint',
  },
  rebuild: {
    acquire: 'acquire-rebuild',
    holder: 'holder-rebuild',
    renew: 'renew-rebuild',
    release: 'release-rebuild',
  },
} as const;

export async function acquireLease(
  session: Session,
  sql: SqlFolder,
  target: LeaseTarget,
  request: LeaseRequest,
): Promise<LeaseAnswer> {
  const { owner, ttlMs, steal = false, code } = request;
  const parameters: Parameter[] = [keyOf(target), owner, ttlMs, steal];
  if (target.kind === 'checkpoint') parameters.push(code?.version ?? null, code?.codeHash ?? null);
  for (;;) {
    const rows = await session.query(sql(statements[target.kind].acquire), parameters);
    const taken = rows.map((row) => row.map(toInteger));
    const [[token = 0, generation = 0] = []] = taken;
    const position = Math.max(0, ...taken.map(([, , each = 0]) => each));
    if (taken.length > 0) return { held: false, lease: { target, owner, token, generation, position } };
    const [holder] = await session.query(sql(statements[target.kind].holder), [keyOf(target)]);
    const expiresInMs = toInteger(holder?.[1] ?? '0');
    // Given back or expired between the two statements: free now.
    if (holder !== undefined && expiresInMs > 0) return { held: true, owner: toText(holder[0]), expiresInMs };
    if (holder !== undefined) continue;
    if (target.kind === 'rebuild') throw noRebuild(target.id);
    const [made] = await session.query(sql('make-checkpoint'), [target.subscriptionId]);
    if (made === undefined && !(await exists(session, sql, target))) throw dividedOtherwise(target.subscriptionId);
  }
}

export async function renewLease(
  session: Session,
  sql: SqlFolder,
  lease: Lease,
  ttlMs: number,
  vitals: Vitals = {},
): Promise<boolean> {
  const rows = await session.query(sql(statements[lease.target.kind].renew), [
    ...fence(lease),
    ttlMs,
    vitals.rate ?? null,
  ]);
  return rows.length > 0;
}

export async function releaseLease(session: Session, sql: SqlFolder, lease: Lease): Promise<void> {
  await session.query(sql(statements[lease.target.kind].release), [keyOf(lease.target), lease.token]);
}

/** Key, token and generation: what every guarded statement begins with. */
export function fence(lease: Lease): readonly Parameter[] {
  return [keyOf(lease.target), lease.token, lease.generation];
}

export function superseded(lease: Lease): EvstoreError {
  const what = lease.target.kind === 'checkpoint' ? lease.target.subscriptionId : `rebuild ${lease.target.id}`;
  return new EvstoreError('E_SUPERSEDED', `${what} was taken over: nothing was written`, {
    why: 'Its lease went to another process, or its checkpoint was moved by hand or by a swap.',
    next: 'evstore checkpoints',
    details: { owner: lease.owner, token: lease.token },
  });
}

/** Somebody else made it in the same moment. */
async function exists(session: Session, sql: SqlFolder, target: LeaseTarget): Promise<boolean> {
  return (await session.query(sql(statements[target.kind].holder), [keyOf(target)])).length > 0;
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
