/** A log in memory for tests of sagas: it keeps the promises of an append, in one process and without durability. */
import { decideOutcome, isSatisfied } from '../domain/append-outcome.js';
import type { AppendResult, EventBatch, ExpectedVersion, Head, NewEvent, RecordedEvent } from '../domain/event.js';
import { categoryOf } from '../domain/names.js';
import { validateAppend } from '../domain/validate.js';
import type { ReadAllOptions } from '../store/store.js';
import type { SagaLog } from './log.js';

/** Events in a batch of the log. */
const batchSize = 500;

export class MemoryLog implements SagaLog {
  readonly #events: RecordedEvent[] = [];
  readonly #streams = new Map<string, RecordedEvent[]>();
  readonly #byId = new Map<string, RecordedEvent>();
  readonly #now: () => number;

  /** @param now the clock that events get their times from, in milliseconds */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** In the order of their positions. */
  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  async append(streamId: string, events: readonly NewEvent[], expected: ExpectedVersion): Promise<AppendResult> {
    return this.appendNow(streamId, events, expected);
  }

  appendNow(streamId: string, events: readonly NewEvent[], expected: ExpectedVersion): AppendResult {
    const valid = validateAppend(streamId, events, expected, { allowLarge: true });
    const known = valid.flatMap(({ id }) => this.#byId.get(id) ?? []);
    const stream = this.#streams.get(streamId) ?? [];
    const actualVersion = stream.length;
    if (known.length > 0 || !isSatisfied(expected, actualVersion)) {
      const facts = { actualVersion, known, lastEvents: stream.slice(-5) };
      const outcome = decideOutcome({ streamId, events: valid, expected }, facts);
      if (outcome.kind === 'error') throw outcome.error;
      if (outcome.kind === 'duplicate') return outcome.result;
    }
    const added = valid.map((event, index) => this.#add(streamId, event, actualVersion + index + 1));
    const last = added.at(-1);
    return {
      streamId,
      events: added,
      version: last?.version ?? actualVersion,
      globalPosition: last?.globalPosition ?? this.#events.length,
      deduplicated: false,
    };
  }

  async *readStream(streamId: string): AsyncGenerator<EventBatch> {
    const events = this.#streams.get(streamId) ?? [];
    const last = events.at(-1);
    if (last !== undefined) yield { events: [...events], upTo: last.version };
  }

  async *readAll({
    after = 0,
    to = Number.POSITIVE_INFINITY,
    types,
    since,
  }: ReadAllOptions = {}): AsyncGenerator<EventBatch> {
    const end = Math.min(to, this.#events.length);
    for (let at = after; at < end; at += batchSize) {
      const upTo = Math.min(at + batchSize, end);
      const events = this.#events
        .slice(at, upTo)
        .filter(
          ({ type, createdAt }) => (types?.includes(type) ?? true) && (since === undefined || createdAt >= since),
        );
      yield { events, upTo };
    }
  }

  async head(): Promise<Head> {
    return { head: this.#events.length, safeHead: this.#events.length, heldBackBy: null };
  }

  async find(id: string): Promise<RecordedEvent | undefined> {
    return this.#byId.get(id.toLowerCase());
  }

  #add(streamId: string, event: NewEvent, version: number): RecordedEvent {
    const recorded = {
      ...event,
      globalPosition: this.#events.length + 1,
      streamId,
      version,
      streamType: event.streamType ?? categoryOf(streamId),
      createdAt: event.createdAt ?? new Date(this.#now()).toISOString(),
    };
    this.#events.push(recorded);
    this.#byId.set(recorded.id, recorded);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) this.#streams.set(streamId, [recorded]);
    else stream.push(recorded);
    return recorded;
  }
}
