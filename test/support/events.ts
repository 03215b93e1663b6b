/** Events, and what comes back of them. */
import { type ErrorCode, EvstoreError } from '../../src/domain/errors.js';
import type { EventBatch, ExpectedVersion, NewEvent, RecordedEvent } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import { validateAppend } from '../../src/domain/validate.js';
import type { ReadAllOptions, Store } from '../../src/store/store.js';

/** A valid event; whatever matters to the case is given. */
export function makeEvent(facts: Partial<NewEvent> = {}): NewEvent {
  return { id: newEventId(), type: 'OrderPlaced', schemaVersion: 1, data: '{"total":10}', metadata: '{}', ...facts };
}

/** @param facts of each event, given its place from 0 */
export function makeEvents(count: number, facts: (index: number) => Partial<NewEvent> = () => ({})): NewEvent[] {
  return Array.from({ length: count }, (_, index) => makeEvent(facts(index)));
}

/** As a command appends: checked, then stored. */
export async function append(
  store: Store,
  streamId: string,
  events: readonly NewEvent[] = [makeEvent()],
  expected: ExpectedVersion = 'any',
) {
  return store.log.append(streamId, validateAppend(streamId, [...events], expected), expected);
}

export async function collect(batches: AsyncIterable<EventBatch>): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of batches) events.push(...batch.events);
  return events;
}

export async function collectBatches(batches: AsyncIterable<EventBatch>): Promise<EventBatch[]> {
  const all: EventBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

export function readAll(store: Store, options?: ReadAllOptions): Promise<RecordedEvent[]> {
  return collect(store.log.readAll(options));
}

export function readStream(store: Store, streamId: string): Promise<RecordedEvent[]> {
  return collect(store.log.readStream(streamId));
}

/** The error that the promise must end with. */
export async function errorOf(code: ErrorCode, promise: Promise<unknown>): Promise<EvstoreError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`expected ${code}, but it went through: ${JSON.stringify(outcome.value)}`);
  const { error } = outcome;
  if (error instanceof EvstoreError && error.code === code) return error;
  throw new Error(`expected ${code}, got ${error}`, { cause: error });
}

/** The error of a promise, of whatever class; undefined when it went through. */
export async function failureOf(promise: Promise<unknown>): Promise<(Error & { code?: string }) | undefined> {
  return promise.then(
    () => undefined,
    (error: Error) => error,
  );
}
