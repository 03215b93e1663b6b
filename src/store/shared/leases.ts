/** Keys, parameters and errors of leases. */
import { EvstoreError } from '../../domain/errors.js';
import { livingOwner } from '../process.js';
import type { HeldAnswer, Lease, LeaseTarget } from '../store.js';
import { type RawRow, type RawValue, toInteger, toOptional, toText } from './rows.js';

/** Returns the key of the row that the lease is kept in. */
export function keyOf(target: LeaseTarget): string | number {
  return target.kind === 'checkpoint' ? target.subscriptionId : target.id;
}

/** Returns key, token and generation: the first parameters of every guarded statement. */
export function fence(lease: Lease): readonly (string | number)[] {
  return [keyOf(lease.target), lease.token, lease.generation];
}

/** Returns the rebuild whose tables the lease is about; 0 for the live tables. */
export function rebuildOf({ target }: Lease): number {
  return target.kind === 'rebuild' ? target.id : 0;
}

/**
 * Returns who has the lease; null when no process has it, or the one that had it has ended.
 * @param owner of an unexpired lease
 */
export function toOwner(owner: RawValue | undefined, process: RawValue | undefined): string | null {
  return livingOwner(toOptional(owner, toText), toOptional(process, toText));
}

/** Columns as in holder-checkpoint.sql and holder-rebuild.sql. */
export function toHolder(row: RawRow): HeldAnswer {
  return {
    held: true,
    owner: toText(row[0]),
    expiresInMs: toInteger(row[1]),
    token: toInteger(row[2]),
    process: toOptional(row[3], toText),
  };
}

export function superseded({ target, owner, token }: Lease): EvstoreError {
  const what = target.kind === 'checkpoint' ? target.subscriptionId : `rebuild ${target.id}`;
  return new EvstoreError('E_SUPERSEDED', `${what} was taken over: nothing was written`, {
    why: 'Another process has the lease now, or the checkpoint was moved by hand or by a swap.',
    next: 'evstore checkpoints',
    details: { owner, token },
  });
}

export function noRebuild(id: number): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no rebuild ${id}`, { next: 'evstore projections' });
}

export function noSuchPart(subscriptionId: string): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `there is no checkpoint ${subscriptionId}`, {
    why: 'The projection has another number of parts.',
    next: 'evstore checkpoints',
  });
}
