/** Decides the outcome of an append that could not simply be inserted, the same way for both engines. */

import { EvstoreError } from './errors.js';
import type { AppendResult, ExpectedVersion, JsonText, NewEvent } from './event.js';
import { jsonEquals } from './json.js';
import { groupDigits } from './numbers.js';
import { shellWord } from './shell-word.js';

export interface AppendRequest {
  readonly streamId: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedVersion;
}

/** What the store held when the insert failed, read in one snapshot. */
export interface AppendFacts {
  /** The version of the request's stream; 0 when it has no events. */
  readonly actualVersion: number;
  /** The stored events that have ids of the request, in any order. */
  readonly known: readonly KnownEvent[];
  /** The newest events of the request's stream, oldest first, to help resolve a conflict. */
  readonly lastEvents: readonly LastEvent[];
}

export interface KnownEvent {
  /** Lower case. */
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly globalPosition: number;
  readonly type: string;
  readonly data: JsonText;
  readonly metadata: JsonText;
}

export interface LastEvent {
  readonly version: number;
  readonly type: string;
  readonly id: string;
}

export type AppendOutcome =
  | { readonly kind: 'duplicate'; readonly result: AppendResult }
  /** The conflict is gone: insert again. */
  | { readonly kind: 'retry' }
  | { readonly kind: 'error'; readonly error: EvstoreError };

/**
 * An append whose events are all stored has succeeded, whatever version it expects: the expected version keeps a second
 * append from following other events, and there is no second append. A redelivered command is computed from a stream that
 * contains its own events, so it expects their version. As a conflict it would be retried for ever.
 */
export function decideOutcome(request: AppendRequest, facts: AppendFacts): AppendOutcome {
  const { events } = request;
  if (facts.known.length === 0) {
    const satisfied = isSatisfied(request.expected, facts.actualVersion);
    return satisfied ? { kind: 'retry' } : { kind: 'error', error: versionConflict(request, facts) };
  }
  if (facts.known.length < events.length) return { kind: 'error', error: partialDuplicate(request, facts) };
  const stored = storedInOrder(request, facts);
  if (!isSameAppend(request, stored)) return { kind: 'error', error: idConflict(request, facts) };
  return { kind: 'duplicate', result: describeDuplicate(request.streamId, stored) };
}

/** Returns whether a stream at version `actual` meets the expectation. */
export function isSatisfied(expected: ExpectedVersion, actual: number): boolean {
  if (expected === 'any') return true;
  if (expected === 'exists') return actual > 0;
  return actual === (expected === 'none' ? 0 : expected);
}

function storedInOrder({ events }: AppendRequest, { known }: AppendFacts): KnownEvent[] {
  const byId = new Map(known.map((event) => [event.id, event]));
  return events.flatMap((event) => byId.get(event.id.toLowerCase()) ?? []);
}

function isSameAppend({ streamId, events }: AppendRequest, stored: readonly KnownEvent[]): boolean {
  const firstVersion = stored[0]?.version ?? 0;
  return events.every((event, index) => {
    const other = stored[index];
    return (
      other !== undefined &&
      other.streamId === streamId &&
      other.version === firstVersion + index &&
      other.type === event.type &&
      jsonEquals(other.data, event.data) &&
      jsonEquals(other.metadata, event.metadata)
    );
  });
}

function describeDuplicate(streamId: string, stored: readonly KnownEvent[]): AppendResult {
  return {
    streamId,
    events: stored.map(({ id, version, globalPosition }) => ({ id, version, globalPosition })),
    version: Math.max(...stored.map(({ version }) => version)),
    globalPosition: Math.max(...stored.map(({ globalPosition }) => globalPosition)),
    deduplicated: true,
  };
}

function versionConflict({ streamId, expected }: AppendRequest, facts: AppendFacts): EvstoreError {
  const actual = facts.actualVersion;
  const since = typeof expected === 'number' && expected < actual ? expected + 1 : Math.max(1, actual - 4);
  return new EvstoreError('E_VERSION_CONFLICT', `stream ${streamId} is at version ${actual}, not ${expected}`, {
    why:
      actual === 0
        ? 'The stream does not exist.'
        : `Another writer appended first; the last event is ${facts.lastEvents.at(-1)?.type ?? 'unknown'}.`,
    next: actual === 0 ? 'evstore streams' : `evstore read ${shellWord(streamId)} --from-version ${since}`,
    details: { streamId, expected, actual, lastEvents: facts.lastEvents },
  });
}

function idConflict({ streamId }: AppendRequest, { known }: AppendFacts): EvstoreError {
  const [first] = known;
  return new EvstoreError('E_ID_CONFLICT', `the store has an event with the id ${first?.id} and different content`, {
    why: `It is ${describePlace(first)}. An id belongs to one event; use a new id for a new event.`,
    next: `evstore read ${shellWord(first?.streamId ?? '')} --from-version ${first?.version}`,
    details: { streamId, known: known.map(placeOf) },
  });
}

function partialDuplicate({ streamId, events }: AppendRequest, { known }: AppendFacts): EvstoreError {
  const [first] = known;
  return new EvstoreError(
    'E_PARTIAL_DUPLICATE',
    `${groupDigits(known.length)} of ${groupDigits(events.length)} events are already stored`,
    {
      why: `The first is ${describePlace(first)}. A retry must repeat the whole append it retries.`,
      next: `evstore read ${shellWord(first?.streamId ?? '')} --from-version ${first?.version}`,
      details: { streamId, known: known.map(placeOf) },
    },
  );
}

function describePlace(event: KnownEvent | undefined): string {
  return event === undefined
    ? 'elsewhere'
    : `version ${event.version} of ${event.streamId}, global position ${groupDigits(event.globalPosition)}`;
}

function placeOf({ id, streamId, version, globalPosition }: KnownEvent): object {
  return { id, streamId, version, globalPosition };
}
