/** Finds the instances that need someone to look at them, by one query over their rows, and tells why. */
import { formatDuration } from '../domain/duration.js';
import type { InstanceRecord, OverdueLimits, SagaStore } from '../store/store.js';

/**
 * `compensation-failed`: not retried any more. `compensation-failing`: retried. `not-run`: due, and no process takes it.
 * `held`: a process holds it and records nothing. `waiting`: for longer than was asked about.
 */
export type OverdueKind = 'compensation-failed' | 'compensation-failing' | 'not-run' | 'held' | 'waiting';

export interface OverdueInstance {
  readonly record: InstanceRecord;
  readonly kind: OverdueKind;
  /** A sentence without its subject. */
  readonly why: string;
  /** For how long, in milliseconds. */
  readonly forMs: number;
}

export interface Overdue {
  /** The longest without a move first. */
  readonly instances: readonly OverdueInstance[];
  /** False when there may be more. */
  readonly isComplete: boolean;
}

/** A process that runs the saga takes what is due within a second. */
const unheldMs = 30_000;
const heldMs = 60 * 60 * 1_000;

export interface OverdueQuestion {
  readonly saga?: string | undefined;
  /** Also lists instances that have not moved for this long, including those that wait. */
  readonly stillMs?: number | undefined;
  readonly limit: number;
  readonly now: Date;
}

export async function findOverdue(
  sagas: Pick<SagaStore, 'list'>,
  { saga, stillMs, limit, now }: OverdueQuestion,
): Promise<Overdue> {
  const overdue = limitsFor(stillMs);
  // One more than wanted shows whether there are others.
  const found = await sagas.list({ saga, overdue, sort: 'oldest', limit: limit + 1 });
  return {
    instances: found.slice(0, limit).map((record) => judge(record, now)),
    isComplete: found.length <= limit,
  };
}

/** A limit that is asked for holds for what is due or held, too. */
export function limitsFor(stillMs?: number): OverdueLimits {
  if (stillMs === undefined) return { unheldMs, heldMs };
  return { unheldMs: Math.min(unheldMs, stillMs), heldMs: Math.min(heldMs, stillMs), stillMs };
}

/** The clock of the database chose them, so that none of the kinds has to fit by this clock. */
function judge(record: InstanceRecord, now: Date): OverdueInstance {
  const { phase, step, error, dueAt, owner, movedAt } = record;
  const since = (at: string) => Math.max(0, now.getTime() - Date.parse(at));
  const still = since(movedAt);
  if (phase === 'compensation-failed') {
    return { record, kind: phase, forMs: still, why: 'its compensation failed, and is not retried' };
  }
  if (phase === 'compensating' && error !== null) {
    return {
      record,
      kind: 'compensation-failing',
      forMs: still,
      why: 'its compensation fails, and is retried',
    };
  }
  const at = step === null ? '' : ` at ${step}`;
  const isDue = dueAt !== null && Date.parse(dueAt) <= now.getTime();
  if (isDue && owner !== null) {
    const why = `${owner} has held it${at} for ${formatDuration(still)}, and recorded nothing`;
    return { record, kind: 'held', forMs: still, why };
  }
  if (isDue && owner === null) {
    const forMs = since(dueAt);
    return { record, kind: 'not-run', forMs, why: `due${at} for ${formatDuration(forMs)}, and no process takes it` };
  }
  return { record, kind: 'waiting', forMs: still, why: `${phase}${at} for ${formatDuration(still)}` };
}
