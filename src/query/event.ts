/** One event: what caused it, what it caused, and which projections have passed it. */

import { type ErrorFacts, EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { matches } from '../domain/matches.js';
import { groupDigits } from '../domain/numbers.js';
import { compareSubscriptionIds, partOf } from '../domain/parts.js';
import { relationOf } from '../domain/relation.js';
import { isUuid } from '../domain/uuid.js';
import type { ParkedState, Store } from '../store/store.js';
import { chooseExtent, type Extent, type SearchOptions } from './extent.js';
import { findMeant } from './meant.js';

export interface ShownEvent {
  readonly event: RecordedEvent;
  readonly stream: {
    /** The version of its last event. */
    readonly events: number;
  };
  readonly causedBy: RecordedEvent | null;
  /** Its causation id, when that is not the id of an event of this store. */
  readonly missingCause: string | null;
  /** By position. */
  readonly effects: readonly RecordedEvent[];
  /** There may be more effects. */
  readonly truncated: boolean;
  /** Where effects were looked for. */
  readonly searched: Extent;
  readonly projections: readonly Handling[];
}

/** A projection, or a part of one, that handles the event or may do so. */
export interface Handling {
  readonly name: string;
  readonly position: number;
  readonly passed: boolean;
  /** Null when it is not known which events it handles: it never ran, or was moved by hand since. */
  readonly handles: true | null;
  /** It passed the event without applying it; null when it did not. */
  readonly parked: ParkedState | null;
}

const mostEffects = 100;

export async function showEvent(
  store: Store,
  event: RecordedEvent,
  options: SearchOptions & { readonly limit?: number },
): Promise<ShownEvent> {
  const { causationId } = relationOf(event);
  const causedBy = causationId === undefined ? undefined : await store.log.find(causationId);
  const { limit = mostEffects } = options;
  const searched = await chooseExtent(store, ['causationId'], event.globalPosition, options);
  const effects = await findEffects(store, event, searched, { ...options, limit: limit + 1 });
  const [last] = await readAtMost(store, event.streamId);
  return {
    event,
    stream: { events: last?.version ?? event.version },
    causedBy: causedBy ?? null,
    missingCause: causedBy === undefined ? (causationId ?? null) : null,
    effects: effects.slice(0, limit),
    truncated: effects.length > limit || searched.to < searched.head,
    searched,
    projections: await findHandling(store, event),
  };
}

async function readAtMost({ log }: Store, streamId: string): Promise<readonly RecordedEvent[]> {
  for await (const { events } of log.readStream(streamId, { backwards: true, limit: 1 })) return events;
  return [];
}

async function findEffects(
  { log }: Store,
  { id }: RecordedEvent,
  { after, to }: Extent,
  { limit, progress, signal }: SearchOptions & { readonly limit: number },
): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const { events, upTo } of log.readAll({ causationId: id, after, to, limit })) {
    signal.throwIfAborted();
    found.push(...events);
    progress(upTo, to);
  }
  return found;
}

async function findHandling({ projections }: Store, event: RecordedEvent): Promise<readonly Handling[]> {
  const [records, cursors, parked] = await Promise.all([
    projections.list(),
    projections.cursors(),
    projections.parked({ rebuild: 0, streamId: event.streamId }),
  ]);
  // A saga has a record, but no read model.
  const known = new Set(
    records.filter(({ tables, target }) => tables.length > 0 || target !== null).map((each) => each.name),
  );
  const found = parked.filter(({ globalPosition }) => globalPosition === event.globalPosition);
  return cursors
    .filter(({ name, rebuild }) => rebuild === null && known.has(partOf(name).projection))
    .filter(({ audit }) => audit === null || matches(audit.filter, event))
    .map(({ name, position, audit }) => ({
      name,
      position,
      passed: position >= event.globalPosition,
      handles: audit === null ? null : (true as const),
      parked:
        found.find(({ projection }) => projection === name || projection === partOf(name).projection)?.state ?? null,
    }))
    .sort((a, b) => compareSubscriptionIds(a.name, b.name));
}

/**
 * Finds an event by its id or its global position.
 * @throws E_NOT_FOUND with what the text may be instead
 */
export async function findEvent(store: Store, place: string): Promise<RecordedEvent> {
  const text = place.replace(/^#/, '');
  const isPosition = /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
  if (isPosition) return findAt(store, Number(text));
  const event = isUuid(text) ? await store.log.find(text.toLowerCase()) : undefined;
  if (event !== undefined) return event;
  throw new EvstoreError('E_NOT_FOUND', `no event has the id ${place}`, await explain(store, place));
}

async function explain(store: Store, text: string): Promise<ErrorFacts> {
  const meant = await findMeant(store, text);
  if (meant !== undefined) return meant;
  const whatItTakes = 'An event is named by its id, a UUID of 36 characters, or by its global position.';
  const next = 'evstore tail --no-follow -o long';
  if (!isUuid(text)) return { why: whatItTakes, next };
  return { why: 'It may be a correlation id, or the id of an event in another store.', next: `evstore trace ${text}` };
}

async function findAt({ log }: Store, position: number): Promise<RecordedEvent> {
  if (position > 0) {
    for await (const { events } of log.readAll({ after: position - 1, to: position, limit: 1 })) {
      if (events[0] !== undefined) return events[0];
    }
  }
  throw new EvstoreError(
    'E_NOT_FOUND',
    `no event is at position ${groupDigits(position)}`,
    await explainGap(log, position),
  );
}

async function explainGap(log: Store['log'], position: number): Promise<ErrorFacts> {
  const { head, safeHead } = await log.head();
  if (head === 0) return { why: 'The store has no events yet.', next: 'evstore append --help' };
  if (position > head) return { why: `The log ends at position ${groupDigits(head)}.`, next: `evstore show ${head}` };
  if (position > safeHead) {
    const why = `Positions above ${groupDigits(safeHead)} are not final yet: an open transaction may still add events before them.`;
    return { why, next: 'evstore lag' };
  }
  const why = 'Positions may have gaps: a transaction that was rolled back leaves one. The first position is 1.';
  for await (const { events } of log.readAll({ after: position, limit: 1 })) {
    const [next] = events;
    if (next !== undefined) return { why, next: `evstore show ${next.globalPosition}` };
  }
  return { why, next: 'evstore tail --no-follow' };
}
