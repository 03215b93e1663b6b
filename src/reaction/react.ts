/** Calls `react` for an event, and makes the events that it appends. */

import {
  checkExpectedVersion,
  checkJson,
  checkMembers,
  checkObject,
  checkText,
  checkWholeNumber,
} from '../domain/arguments.js';
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { EventBatch, ExpectedVersion, NewEvent, RecordedEvent } from '../domain/event.js';
import { groupDigits } from '../domain/numbers.js';
import { shellWord } from '../domain/shell-word.js';
import { parseDuration } from '../domain/timestamp.js';
import { derivedId } from '../domain/uuid.js';
import { validateAppend } from '../domain/validate.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import { explain } from '../projection/define/handler-error.js';
import type { EventLog } from '../store/store.js';
import { defaultTimeout, waitForUserCode } from '../terminal/user-code.js';
import type { Reaction, ReactionContext } from './definition.js';

/** The streams that `react` may read. */
export interface StreamSource {
  readStream(streamId: string): AsyncIterable<EventBatch>;
}

export interface PlannedEvent {
  readonly streamId: string;
  readonly event: NewEvent;
  readonly expected: ExpectedVersion;
}

/** How many reactions may lead from one event to the next. */
const defaultMaxHops = 25;

/**
 * Returns the events that the reaction appends for an event.
 * @throws E_HANDLER naming the event: `react` threw or returned something that cannot be appended, or there are too many hops
 * @throws the reason of the signal
 */
export async function planReaction(
  reaction: Reaction,
  recorded: RecordedEvent,
  log: StreamSource,
  signal: AbortSignal,
): Promise<readonly PlannedEvent[]> {
  try {
    const event = toEvent(recorded, reaction);
    const carried = readCarried(event);
    const { timeout = defaultTimeout } = reaction;
    const limit = { text: timeout, ms: parseDuration(timeout) };
    const work = (ends: AbortSignal) => reaction.react(event, toContext(reaction, carried, log, ends));
    const returned: unknown = await waitForUserCode(limit, work, signal);
    const planned = toList(returned).map((each, index) => plan(reaction, event, carried, each, index));
    if (planned.length > 0) assertFewHops(reaction, carried.hops);
    return planned;
  } catch (error) {
    if (signal.aborted) throw error;
    throw toReactionError(reaction, recorded, 'react', error);
  }
}

/**
 * Appends what was planned, in order. An event that an earlier attempt appended is left as it is, even when its data differs
 * now. Returns how many it appended.
 * @throws E_HANDLER when an event cannot be appended because of what it is
 */
export async function appendPlanned(
  reaction: Reaction,
  recorded: RecordedEvent,
  planned: readonly PlannedEvent[],
  log: Pick<EventLog, 'append' | 'find'>,
): Promise<number> {
  let appended = 0;
  for (const { streamId, event, expected } of planned) {
    try {
      const { deduplicated } = await log.append(streamId, [event], expected);
      if (!deduplicated) appended += 1;
    } catch (error) {
      if (!isEvstoreError(error) || !conflicts.includes(error.code)) throw error;
      if ((await log.find(event.id)) !== undefined) continue;
      throw toReactionError(reaction, recorded, `the event ${event.type} for ${streamId}`, error);
    }
  }
  return appended;
}

const conflicts: readonly string[] = ['E_ID_CONFLICT', 'E_VERSION_CONFLICT', 'E_INVALID_INPUT'];

/** What an appended event takes over from the event that caused it. */
interface Carried {
  readonly correlationId: string;
  readonly sagaId: string | undefined;
  readonly hops: number;
}

function readCarried({ id, metadata }: Event): Carried {
  const { correlationId, sagaId, reactionHops } = metadata;
  return {
    correlationId: isStorable(correlationId) ? correlationId : id,
    sagaId: isStorable(sagaId) ? sagaId : undefined,
    hops: Number.isSafeInteger(reactionHops) && reactionHops > 0 ? reactionHops : 0,
  };
}

/** Another program may have written anything. */
function isStorable(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && !/\p{Surrogate}/u.test(value);
}

function toContext(reaction: Reaction, carried: Carried, log: StreamSource, signal: AbortSignal): ReactionContext {
  const { correlationId, hops } = carried;
  return {
    ...{ signal, correlationId, hops },
    readStream: async function* (streamId) {
      for await (const { events } of log.readStream(checkText(streamId, 'streamId'))) {
        yield* events.map((event) => toEvent(event, reaction));
      }
    },
  };
}

function toList(returned: unknown): readonly unknown[] {
  if (returned === undefined || returned === null) return [];
  return Array.isArray(returned) ? returned : [returned];
}

const reactionEvent = {
  streamId: checkText,
  type: checkText,
  data: checkJson,
  metadata: checkObject,
  schemaVersion: checkWholeNumber(1),
  expectedVersion: checkExpectedVersion,
};

/** @throws E_INVALID_INPUT */
function plan(reaction: Reaction, cause: Event, carried: Carried, returned: unknown, index: number): PlannedEvent {
  const name = `event ${index + 1} of what react returned`;
  const given = checkMembers(returned, name, reactionEvent);
  const { streamId, type, data, metadata = {}, schemaVersion = 1, expectedVersion: expected = 'any' } = given;
  for (const [member, value] of Object.entries({ streamId, type, data })) {
    if (value === undefined) throw new EvstoreError('E_INVALID_INPUT', `${name} has no ${member}`);
  }
  const { correlationId, sagaId, hops } = carried;
  const made: NewEvent = {
    // Not from its content: `react` may return something different when it is called again.
    id: derivedId(JSON.stringify(['reaction', reaction.name, cause.id, index])),
    type: type ?? '',
    schemaVersion,
    data: data ?? '',
    metadata: checkJson(
      {
        ...{ correlationId, ...(sagaId !== undefined && { sagaId }) },
        ...metadata,
        ...{ causationId: cause.id, reaction: reaction.name, reactionHops: hops + 1 },
      },
      `the metadata of ${name}`,
    ),
  };
  const [event = made] = validateAppend(streamId ?? '', [made], expected, { allowLarge: true });
  return { streamId: streamId ?? '', event, expected };
}

/** Returns true when another attempt would fail, too. */
export function isLoop(error: unknown): boolean {
  return isEvstoreError(error) && error.details.hops !== undefined;
}

/** @throws E_INVALID_INPUT */
function assertFewHops({ maxHops = defaultMaxHops }: Reaction, hops: number): void {
  if (hops < maxHops) return;
  throw new EvstoreError('E_INVALID_INPUT', `${hops} reactions led to this event, and maxHops is ${maxHops}`, {
    why: 'Reactions that trigger each other without an end are a loop. If this is none, set a higher maxHops.',
    details: { hops },
  });
}

function toReactionError(reaction: Reaction, event: RecordedEvent, part: string, cause: unknown): EvstoreError {
  const { globalPosition, type, streamId, version, id } = event;
  return new EvstoreError(
    'E_HANDLER',
    `reaction ${reaction.name} failed on ${type} at position ${groupDigits(globalPosition)}`,
    {
      why: `${explain(part, cause)} The event is version ${version} of ${streamId}.`,
      next: `evstore read ${shellWord(streamId)} --from-version ${version} --to-version ${version}`,
      details: {
        ...{ reaction: reaction.name, globalPosition, type, streamId, version, id },
        ...(isEvstoreError(cause) && cause.details.hops !== undefined && { hops: cause.details.hops }),
      },
      cause,
    },
  );
}
