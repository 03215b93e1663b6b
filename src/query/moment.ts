/** A moment in the life of a stream: what it includes, and where in the log it is. */

import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { groupDigits } from '../domain/numbers.js';
import { shellWord } from '../domain/shell-word.js';
import { justAfter } from '../domain/timestamp.js';
import { waitUntilReadable } from '../projection/catch-up/wait-until-readable.js';
import type { EventLog, Store } from '../store/store.js';

/** A version is one of the stream, 0 being before its first event; a position is one of the log. Times are RFC 3339. */
export type Point =
  | { readonly kind: 'now' }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'position'; readonly position: number }
  | { readonly kind: 'time'; readonly time: string };

/** What a state includes. */
export interface StateMoment {
  /** The last event of the stream; 0 before the first. */
  readonly version: number;
  /** Events of all streams up to here; of a time that was asked for, the last event of the stream before it. */
  readonly position: number;
  /** Where that event of the stream is in the log; 0 before the first. */
  readonly lastPosition: number;
  /** The time that was asked for, or when the last event of the stream was recorded; null before the first. */
  readonly time: string | null;
}

/** How long to wait for an open transaction that holds back an event that was asked for. */
const readableMs = 5_000;

/** A moment, and how to read up to it. */
export interface Bound extends StateMoment {
  readonly until?: string | undefined;
}

/** @throws E_NOT_FOUND for a version or a position that there is not */
export async function findBound(
  { log }: Pick<Store, 'log'>,
  streamId: string,
  point: Point,
  signal: AbortSignal,
): Promise<Bound> {
  const { safeHead } = await log.head();
  if (point.kind === 'version') {
    const { version } = point;
    if (version === 0) return { version, position: 0, lastPosition: 0, time: null };
    const event = await first(log.readStream(streamId, { fromVersion: version, toVersion: version }));
    if (event === undefined) throw await noVersion(log, streamId, version);
    const { globalPosition: position, createdAt: time } = event;
    if (position > safeHead) {
      await waitUntilReadable(log, position, { deadline: performance.now() + readableMs, signal });
    }
    return { version, position, lastPosition: position, time };
  }
  if (point.kind === 'position' && point.position > safeHead) {
    throw new EvstoreError('E_NOT_FOUND', `position ${groupDigits(point.position)} is beyond the end of the log`, {
      why: `Events can be read up to position ${groupDigits(safeHead)}.`,
      next: 'evstore lag',
      details: { position: point.position, safeHead },
    });
  }
  const position = point.kind === 'position' ? point.position : safeHead;
  const until = point.kind === 'time' ? justAfter(point.time) : undefined;
  const filter = { streamId, ...(until !== undefined && { until }) };
  const last =
    position === 0 ? undefined : await first(log.readAll({ ...filter, to: position, backwards: true, limit: 1 }));
  const time = point.kind === 'time' ? point.time : (last?.createdAt ?? null);
  return { version: last?.version ?? 0, position, lastPosition: last?.globalPosition ?? 0, time, until };
}

export function toMoment({ version, position, lastPosition, time, until }: Bound): StateMoment {
  return { version, position: until === undefined ? position : lastPosition, lastPosition, time };
}

async function noVersion(log: EventLog, streamId: string, version: number): Promise<EvstoreError> {
  const last = (await findLatest(log, streamId))?.version ?? 0;
  return new EvstoreError('E_NOT_FOUND', `stream ${streamId} has no version ${version}`, {
    why:
      last === 0 ? 'It has no events.' : `Its last version is ${last}. A position of the log is written @${version}.`,
    ...(last > 0 && { next: `evstore state ${shellWord(streamId)} --at ${last}` }),
    details: { streamId, version, last },
  });
}

/** Returns the last event of a stream, even if readers of the log do not see it yet. */
export function findLatest(log: EventLog, streamId: string): Promise<RecordedEvent | undefined> {
  return first(log.readStream(streamId, { backwards: true, limit: 1 }));
}

async function first(
  batches: AsyncIterable<{ readonly events: readonly RecordedEvent[] }>,
): Promise<RecordedEvent | undefined> {
  for await (const { events } of batches) if (events[0] !== undefined) return events[0];
  return undefined;
}
