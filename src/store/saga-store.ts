/**
 * The port, third part: instances of sagas. Their streams are the truth. A row of each instance is written in the
 * transaction of its facts, so that one query answers which are due, wait, failed or are overdue; it can be rebuilt from
 * the streams.
 */
import type { NewEvent } from '../domain/event.js';
import type { SagaPhase } from '../domain/saga-phase.js';

export interface SagaStore {
  /**
   * Appends the facts of many instances, and writes their rows, in one transaction. An instance in conflict is left out,
   * and the others are written. Transient faults are retried with the same ids.
   * @returns one outcome for each change, in their order
   * @throws E_OUTCOME_UNKNOWN
   */
  record(changes: readonly InstanceChange[]): Promise<readonly RecordOutcome[]>;

  /**
   * Takes instances that are due by the database's clock and that no other process holds, the longest due first. Several
   * processes share the instances in this way; none waits for another.
   */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Returns those that the owner still holds. */
  renew(owner: string, instances: readonly InstanceKey[], ttlMs: number): Promise<readonly InstanceKey[]>;
  /** Releases these instances, or all, if this owner holds them. */
  release(owner: string, instances?: readonly InstanceKey[]): Promise<void>;
  /** Lists the owners that hold instances, with the process of each (see lease/process.ts). */
  owners(): Promise<readonly InstanceOwner[]>;

  /** Finds the instances of one saga that wait under one of these keys. */
  findWaiting(saga: string, keys: readonly string[]): Promise<readonly InstanceRecord[]>;

  find(key: InstanceKey): Promise<InstanceRecord | undefined>;
  list(options: InstancesOptions): Promise<readonly InstanceRecord[]>;
  /** Counts instances by saga, version, definition and phase. */
  count(saga?: string): Promise<readonly InstanceCount[]>;
  /** Counts the overdue instances of each saga that has some. */
  countOverdue(limits: OverdueLimits): Promise<readonly OverdueCount[]>;

  /** Writes rows as folded from their streams, where the row is of an older version of its stream. */
  restore(rows: readonly RestoredInstance[]): Promise<void>;
}

export interface InstanceKey {
  readonly saga: string;
  readonly instance: string;
}

/** What its facts make of an instance. */
export interface InstanceRow extends InstanceKey {
  /** Of the definition that started it. */
  readonly sagaVersion: number;
  /** Tells definitions of the same version apart. */
  readonly definition: string;
  readonly phase: SagaPhase;
  /** The step that it is at; null once it has ended. */
  readonly step: string | null;
  /** Of that step or of its compensation, from 1. */
  readonly attempt: number;
  /** Position of the event that started it. */
  readonly triggerPosition: number;
  readonly correlationId: string;
  /** The last error of the step that it is at, or why its compensation failed. */
  readonly error: string | null;
  /** Why it is or was compensated. */
  readonly reason: string | null;
  /** Under which it is found by an event that it waits for; null when it waits for none. */
  readonly waitKey: string | null;
  /** When a process has to act on it: after so many milliseconds, at a time (RFC 3339), or never (null). */
  readonly due: { readonly inMs: number } | { readonly at: string } | null;
}

export interface InstanceChange {
  readonly streamId: string;
  /** The version of the stream before these events; 0 for a new instance. */
  readonly version: number;
  /** Valid already (see domain/validate.ts). */
  readonly events: readonly NewEvent[];
  readonly row: InstanceRow;
  /** Who holds the instance afterwards; null releases it. Unset for a change from outside, which leaves the holder. */
  readonly holder?: Holder | null;
}

/** `version` and `globalPosition` are those of the last event of the change. */
export type RecordOutcome =
  | { readonly kind: 'recorded'; readonly version: number; readonly globalPosition: number }
  /** All ids are known in this stream: an earlier attempt wrote them. Nothing was written now, the row neither. */
  | { readonly kind: 'known'; readonly version: number; readonly globalPosition: number }
  /** Another process has appended to the stream. */
  | { readonly kind: 'conflict'; readonly actualVersion: number };

export interface Holder {
  /** Shown to others, e.g. `host:1234`. */
  readonly owner: string;
  /** As in `LeaseRequest`. */
  readonly process: string | null;
  readonly ttlMs: number;
}

export interface ClaimRequest extends Holder {
  readonly limit: number;
  /** The code that the process has; instances of other code are left alone. */
  readonly definitions: readonly SagaCode[];
}

export interface SagaCode {
  readonly saga: string;
  readonly version: number;
  readonly definition: string;
}

export interface Claim {
  readonly instances: readonly ClaimedInstance[];
  /** Until the next one is due, or a holder's time ends, in milliseconds; null when there is none. Never below 0. */
  readonly nextInMs: number | null;
}

export interface ClaimedInstance extends InstanceKey {
  /** It was due at this version of its stream. At a later one another process may have made it wait for another time. */
  readonly streamVersion: number;
}

export interface InstanceOwner {
  readonly owner: string;
  readonly process: string | null;
  readonly instances: number;
  /** Until the last of its claims ends, in milliseconds; 0 when all ended. */
  readonly expiresInMs: number;
}

export interface InstanceRecord extends Omit<InstanceRow, 'due'> {
  readonly streamVersion: number;
  /** RFC 3339, all of the database's clock. */
  readonly startedAt: string;
  /** When it came to its step and phase. */
  readonly since: string;
  /** When its last fact was recorded. */
  readonly movedAt: string;
  /** When a process has to act on it; null for never. */
  readonly dueAt: string | null;
  /** The process that holds it; null when none does. */
  readonly owner: string | null;
}

export interface InstancesOptions {
  /** All sagas if undefined. */
  readonly saga?: string | undefined;
  readonly phases?: readonly SagaPhase[] | undefined;
  /** Only those whose instance begins with it. */
  readonly prefix?: string | undefined;
  /** Only those that did not move since: not for so many milliseconds. */
  readonly notMovedForMs?: number | undefined;
  /** Only those that were due so many milliseconds ago, and still are. */
  readonly dueForMs?: number | undefined;
  /** Only those that need someone to look at them. */
  readonly overdue?: OverdueLimits | undefined;
  /** Default `moved`: the last moved first. `oldest`: the longest without a move first. */
  readonly sort?: 'moved' | 'oldest' | undefined;
  readonly limit: number;
}

/**
 * An instance is overdue when a compensation of it fails, and when it is due and no process takes it, or the one that holds
 * it records nothing.
 */
export interface OverdueLimits {
  /** Due for so many milliseconds, and no process holds it. */
  readonly unheldMs: number;
  /** Held, and due and not moved for so many milliseconds. */
  readonly heldMs: number;
  /** Not ended, and not moved for so many milliseconds, whatever it waits for; undefined for no such limit. */
  readonly stillMs?: number | undefined;
}

export interface OverdueCount {
  readonly saga: string;
  readonly instances: number;
}

export interface InstanceCount extends SagaCode {
  readonly phase: SagaPhase;
  readonly instances: number;
  /** RFC 3339: when the oldest of them came to its step; null where it has ended. */
  readonly oldestSince: string | null;
}

export interface RestoredInstance {
  readonly row: InstanceRow;
  readonly streamVersion: number;
  readonly startedAt: string;
  readonly since: string;
  readonly movedAt: string;
}
