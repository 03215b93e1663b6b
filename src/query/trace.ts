/** The events that belong together, and what caused what. */

import { detachEvent } from '../domain/detach.js';
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { groupDigits } from '../domain/numbers.js';
import { comparableId, relationOf } from '../domain/relation.js';
import { shellWord } from '../domain/shell-word.js';
import { isUuid } from '../domain/uuid.js';
import type { Store } from '../store/store.js';
import { type CausationNode, growTree } from './causation-tree.js';
import { chooseExtent, type Extent, type SearchOptions } from './extent.js';
import { findMeant } from './meant.js';

export interface Trace {
  /** By position. */
  readonly roots: readonly CausationNode[];
  readonly events: number;
  /** There may be more events. */
  readonly truncated: boolean;
  /** The limit was reached: what caused an event may be left out, too. */
  readonly isFull: boolean;
  readonly searched: Extent;
}

export interface TraceOptions extends SearchOptions {
  /** The most events. */
  readonly limit: number;
}

/** Of data and metadata that are kept. */
const mostCharacters = 64_000_000;
/** Look-ups at a time. */
const atOnce = 8;

/**
 * Returns the events with a correlation id, all that they caused, and what caused them. For an event without a correlation
 * id: what led to it, and all that this caused.
 * @param id a correlation id, or the id of an event
 * @throws E_NOT_FOUND with what it may be instead
 */
export async function trace(store: Store, id: string, options: TraceOptions): Promise<Trace> {
  const found = new FoundEvents(options.limit);
  const start = isUuid(id) ? await store.log.find(id.toLowerCase()) : undefined;
  const correlations = new Set([comparableId(id)]);
  if (start !== undefined) {
    found.add(start);
    correlations.add(start.id);
    if (relationOf(start).correlationId === undefined) await addCauses(store, found);
    for (const event of found.events()) correlations.add(relationOf(event).correlationId ?? event.id);
  }
  const searched = await chooseExtent(store, ['correlationId', 'causationId'], start?.globalPosition, options);
  if (searched.byIndex) await lookUp(store, found, correlations, options);
  else await lookThrough(store, found, correlations, searched, options);
  if (found.events().length === 0) throw await notFound(store, id, searched);
  await addCauses(store, found);
  return {
    roots: growTree(found.events()),
    events: found.events().length,
    truncated: found.isFull || !searched.isWhole,
    isFull: found.isFull,
    searched,
  };
}

/** What was found so far, by id. */
class FoundEvents {
  /** There is no room for another event that was found. */
  isFull = false;
  readonly #limit: number;
  readonly #events = new Map<string, RecordedEvent>();
  #characters = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(id: string): boolean {
    return this.#events.has(id);
  }

  events(): readonly RecordedEvent[] {
    return [...this.#events.values()];
  }

  get size(): number {
    return this.#events.size;
  }

  /** Does nothing when the event is there already. */
  add(event: RecordedEvent): void {
    if (this.has(event.id)) return;
    if (this.size >= this.#limit || this.#characters > mostCharacters) {
      this.isFull = true;
      return;
    }
    this.#characters += event.data.length + event.metadata.length;
    this.#events.set(event.id, detachEvent(event));
  }
}

/** By index: the events of a correlation, then level by level what they caused. */
async function lookUp(
  { log }: Store,
  found: FoundEvents,
  correlations: ReadonlySet<string>,
  { limit, progress, signal }: TraceOptions,
): Promise<void> {
  const read = async (filter: { readonly correlationId: string } | { readonly causationId: string }) => {
    const events: RecordedEvent[] = [];
    for await (const batch of log.readAll({ ...filter, limit: limit + 1 })) events.push(...batch.events);
    return events;
  };
  for (const correlationId of correlations) for (const event of await read({ correlationId })) found.add(event);
  // What is added to it meanwhile is looked up, too.
  for (let done = 0; done < found.size && !found.isFull; ) {
    signal.throwIfAborted();
    const causes = found.events().slice(done, done + atOnce);
    done += causes.length;
    const effects = await Promise.all(causes.map(({ id }) => read({ causationId: id })));
    for (const event of effects.flat()) found.add(event);
    progress(done, found.size);
  }
}

/** Reads on until nothing is found: an event may be recorded before what caused it, as after an import. */
async function lookThrough(
  { log }: Store,
  found: FoundEvents,
  correlations: ReadonlySet<string>,
  { after, to }: Extent,
  { progress, signal }: TraceOptions,
): Promise<void> {
  let end = to;
  while (end > after) {
    let last: number | undefined;
    for await (const { events, upTo } of log.readAll({ after, to: end })) {
      signal.throwIfAborted();
      for (const event of events) {
        if (!mayName(event, (id) => correlations.has(comparableId(id)) || found.has(id.toLowerCase()))) continue;
        const { correlationId = '', causationId = '' } = relationOf(event);
        if (found.has(event.id) || !(correlations.has(correlationId) || found.has(causationId))) continue;
        found.add(event);
        last = event.globalPosition;
      }
      progress(upTo, end);
      if (found.isFull) return;
    }
    if (last === undefined) return;
    // What was found in a part of the log may have caused something beyond it.
    end = end < to ? to : last - 1;
  }
}

const namedIds = /"(?:correlation|causation)Id"\s*:\s*(?:"([^"]*)"|[^\s"])/g;

/** Parsing the metadata of every event would take most of the time. */
function mayName({ metadata }: RecordedEvent, isKnown: (id: string) => boolean): boolean {
  if (metadata.includes('\\')) return true;
  for (const [, id] of metadata.matchAll(namedIds)) if (id === undefined || isKnown(id)) return true;
  return false;
}

/** Follows causes as far up as they are in the store, by id, wherever they are. */
async function addCauses({ log }: Store, found: FoundEvents): Promise<void> {
  const looked = new Set<string>();
  for (
    let wanted = missingCauses(found, looked);
    wanted.length > 0 && !found.isFull;
    wanted = missingCauses(found, looked)
  ) {
    for (let done = 0; done < wanted.length; done += atOnce) {
      const ids = wanted.slice(done, done + atOnce);
      for (const event of await Promise.all(ids.map((id) => log.find(id)))) if (event !== undefined) found.add(event);
      for (const id of ids) looked.add(id);
    }
  }
}

function missingCauses(found: FoundEvents, looked: ReadonlySet<string>): readonly string[] {
  const causes = found.events().flatMap((event) => relationOf(event).causationId ?? []);
  return [...new Set(causes)].filter((id) => isUuid(id) && !found.has(id) && !looked.has(id));
}

async function notFound(store: Store, id: string, { after, isWhole }: Extent): Promise<EvstoreError> {
  const what = `no event has the correlation id ${id}`;
  if (!isWhole) {
    return new EvstoreError('E_NOT_FOUND', `${what} after position ${groupDigits(after)}`, {
      why: 'Only the end of the log was looked at, because there is no index on correlation ids.',
      next: `evstore trace --exact ${shellWord(id)}`,
      details: { id, after },
    });
  }
  const meant = /^\d+$/.test(id) ? await findAt(store, Number(id)) : await findMeant(store, id);
  return new EvstoreError('E_NOT_FOUND', `${what}, and no event has that id`, {
    why: meant?.why ?? 'A correlation id is in the metadata of events, as correlationId.',
    next: meant?.next ?? 'evstore tail --no-follow -o long',
    details: { id, ...meant?.details },
  });
}

async function findAt({ log }: Store, position: number) {
  if (!Number.isSafeInteger(position) || position === 0) return undefined;
  for await (const { events } of log.readAll({ after: position - 1, to: position })) {
    const [event] = events;
    if (event === undefined) continue;
    return { why: 'It is the position of an event.', next: `evstore trace ${event.id}`, details: { event: event.id } };
  }
  return undefined;
}
