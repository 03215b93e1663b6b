/** Leases live in the row of the cursor they guard, on the database's clock. */
import { EvstoreError } from '../../domain/errors.js';
import type { SqlFolder } from '../sql.js';
import type { Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from '../store.js';
import type { Parameter, Session } from './database.js';
import { toInteger, toText } from './rows.js';

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
  const { owner, ttlMs, steal = false } = request;
  for (;;) {
    const [taken] = await session.query(sql(statements[target.kind].acquire), [keyOf(target), owner, ttlMs, steal]);
    if (taken !== undefined) {
      const [token, generation, position] = taken.map(toInteger);
      return {
        held: false,
        lease: { target, owner, token: token ?? 0, generation: generation ?? 0, position: position ?? 0 },
      };
    }
    const [holder] = await session.query(sql(statements[target.kind].holder), [keyOf(target)]);
    if (holder === undefined && target.kind === 'rebuild') {
      throw new EvstoreError('E_NOT_FOUND', `there is no rebuild ${target.id}`, { next: 'evstore projections' });
    }
    const expiresInMs = toInteger(holder?.[1] ?? '0');
    // Given back or expired between the two statements: free now.
    if (holder !== undefined && expiresInMs > 0) return { held: true, owner: toText(holder[0]), expiresInMs };
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

function keyOf(target: LeaseTarget): string | number {
  return target.kind === 'checkpoint' ? target.subscriptionId : target.id;
}
