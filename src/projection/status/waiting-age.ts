/**
 * For how long an event has waited for a subscription. An event may be much older than its place in the log: an import
 * keeps the times of events. The log does not record when an event was stored, but it was not stored before the event
 * ahead of it, nor before the store was made; and it did not wait for a projection that was not there.
 */
import type { RecordedEvent } from '../../domain/event.js';

/** Transactions that overlap may store their events in another order than that of their times. */
const overlapMs = 60_000;

export interface AgeFacts {
  readonly first: Pick<RecordedEvent, 'createdAt'>;
  /** The last event up to the checkpoint. */
  readonly before: Pick<RecordedEvent, 'createdAt'> | undefined;
  /** RFC 3339, like the following: when the first migration was applied. */
  readonly storeMadeAt: string | undefined;
  /** When the projection was registered. */
  readonly registeredAt: string | undefined;
  /** When the checkpoint last moved. */
  readonly movedAt: string;
  readonly now: Date;
}

export interface WaitingAge {
  /** Never too low for an event that was appended; for an imported one, since the checkpoint last moved. */
  readonly ageMs: number;
  /** The event is older than what was there before it. */
  readonly isImported: boolean;
}

export function measureAge({ first, before, storeMadeAt, registeredAt, movedAt, now }: AgeFacts): WaitingAge {
  const createdMs = Date.parse(first.createdAt);
  const storeMs = toMs(storeMadeAt);
  const beforeMs = toMs(before?.createdAt);
  const isImported = createdMs < storeMs || createdMs < beforeMs - overlapMs;
  const since = Math.max(createdMs, storeMs, beforeMs, toMs(registeredAt), isImported ? toMs(movedAt) : 0);
  return { ageMs: Math.max(0, now.getTime() - since), isImported };
}

function toMs(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time);
}
