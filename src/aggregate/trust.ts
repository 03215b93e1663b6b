/**
 * Says whether a state may begin at a snapshot: one rule for `load` and for the commands that list, verify and delete. It
 * never trusts what may be of other code, or of events that the stream does not have.
 */
import { type CodeState, compareCode } from '../domain/code-identity.js';
import type { SnapshotSummary } from '../store/store.js';
import type { PreparedAggregate } from './prepare.js';

/**
 * As in domain/code-identity.ts, and: `foreign`: another program made it. `diverged`: the stream does not have the event up
 * to which it was made. `detached`: no code has an aggregate of its name.
 */
export type SnapshotState = CodeState | 'foreign' | 'diverged' | 'detached';

/** @param aggregate the one that the snapshot names, undefined when there is none */
export function judgeSnapshot(
  { origin, storedEventId }: Pick<SnapshotSummary, 'origin' | 'storedEventId'>,
  aggregate: PreparedAggregate | undefined,
): SnapshotState {
  if (origin === null) return 'foreign';
  if (origin.eventId !== storedEventId) return 'diverged';
  if (aggregate === undefined || origin.aggregate !== aggregate.name) return 'detached';
  return compareCode({ version: origin.stateVersion, codeHash: origin.codeHash }, aggregate);
}

/** `unverified` code has the same version and definition, and the author's version is the contract. */
export function isTrusted(state: SnapshotState): boolean {
  return state === 'current' || state === 'unverified';
}
