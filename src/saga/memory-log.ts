/** A log in memory for tests of sagas: it keeps the promises of an append, in one process and without durability. */
import { decideOutcome, isSatisfied } from '../domain/append-outcome.js';
import type { AppendResult, EventBatch, ExpectedVersion, NewEvent, RecordedEvent } from '../domain/event.js';
import { categoryOf } from '../domain/names.js';
import { validateAppend } from '../domain/validate.js';
import type { SagaLog } from './log.js';

export class MemoryLog implements SagaLog {
  readonly #events: RecordedEvent[] = [];

  /** In the order of their positions. */
  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  async append(streamId: string, events: readonly NewEvent[], expected: ExpectedVersion): Promise<AppendResult> {
    const valid = validateAppend(streamId, events, expected, { allowLarge: true });
    const known = this.#events.filter(({ id }) => valid.some((event) => event.id === id));
    const actualVersion = this.#stream(streamId).length;
    if (known.length > 0 || !isSatisfied(expected, actualVersion)) {
      const facts = { actualVersion, known, lastEvents: this.#stream(streamId).slice(-5) };
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
    const events = this.#stream(streamId);
    const last = events.at(-1);
    if (last !== undefined) yield { events, upTo: last.version };
  }

  async find(id: string): Promise<RecordedEvent | undefined> {
    return this.#events.find((event) => event.id === id.toLowerCase());
  }

  #stream(streamId: string): RecordedEvent[] {
    return this.#events.filter((event) => event.streamId === streamId);
  }

  #add(streamId: string, event: NewEvent, version: number): RecordedEvent {
    const recorded = {
      ...event,
      globalPosition: this.#events.length + 1,
      streamId,
      version,
      streamType: event.streamType ?? categoryOf(streamId),
      createdAt: event.createdAt ?? new Date().toISOString(),
    };
    this.#events.push(recorded);
    return recorded;
  }
}
