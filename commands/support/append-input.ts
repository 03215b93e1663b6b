/** The events `append` is given: one by its flags, or a batch as NDJSON. */

import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import type { NewEvent } from '../../src/domain/event.js';
import { type EventLine, parseEventLine } from '../../src/domain/event-line.js';
import { maxBatchEvents } from '../../src/domain/limits.js';
import { addMembers } from '../../src/domain/raw-json.js';
import { newEventId } from '../../src/domain/uuid.js';
import { groupDigits } from '../../src/output/numbers.js';
import { openInput, readText } from '../../src/terminal/input.js';
import type { Io } from '../../src/terminal/io.js';
import { readLines } from '../../src/terminal/lines.js';
import type { Flags } from '../options/command.js';

/**
 * With their ids made: from here on a retry repeats the same request.
 * @throws E_USAGE, E_INVALID_INPUT
 */
export async function readNewEvents(flags: Flags, io: Io): Promise<NewEvent[]> {
  const { type, from } = flags as { type?: string; from?: string };
  if (from !== undefined) {
    const single = ['type', 'data', 'metadata', 'id'].find((name) => flags[name] !== undefined);
    if (single !== undefined) throw new EvstoreError('E_USAGE', `--from and --${single} cannot be combined`);
    return readBatch(from, flags, io);
  }
  if (type === undefined) {
    throw new EvstoreError('E_USAGE', 'there is no event to append', {
      why: 'Give --type for one event, or --from for a batch.',
      next: 'evstore append --help',
    });
  }
  const { data = '{}', metadata = '{}', id } = flags as { data?: string; metadata?: string; id?: string };
  const payload = data === '-' || data.startsWith('@') ? (await readText(data.replace(/^@/, ''), io)).trim() : data;
  return [toNewEvent({ type, data: payload, metadata, ...(id !== undefined && { id }) }, flags)];
}

async function readBatch(source: string, flags: Flags, io: Io): Promise<NewEvent[]> {
  const { name, bytes } = await openInput(source, io);
  const events: NewEvent[] = [];
  for await (const { text, number } of readLines(bytes, name)) {
    if (events.length === maxBatchEvents) {
      throw new EvstoreError('E_USAGE', `${name} holds more than ${groupDigits(maxBatchEvents)} events`, {
        why: 'One append is one transaction; use import for more.',
        next: `evstore import ${source}`,
      });
    }
    events.push(toNewEvent(parseLine(text, `${name} line ${number}`), flags));
  }
  return events;
}

/** @throws E_INVALID_INPUT with the place in front */
function parseLine(text: string, place: string): EventLine {
  try {
    return parseEventLine(text);
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    throw new EvstoreError(error.code, `${place}: ${error.message}`, error);
  }
}

function toNewEvent(line: EventLine, flags: Flags): NewEvent {
  const { correlationId, causationId } = flags as { correlationId?: string; causationId?: string };
  const { schemaVersion = 1, streamType } = flags as { schemaVersion?: number; streamType?: string };
  const added = {
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
  };
  const { metadata = '{}' } = line;
  const event = {
    id: line.id ?? newEventId(),
    type: line.type,
    schemaVersion: line.schemaVersion ?? schemaVersion,
    data: line.data ?? '{}',
    metadata: addMembers(metadata, added),
  };
  const type = line.streamType ?? streamType;
  return {
    ...event,
    ...(type !== undefined && { streamType: type }),
    ...(line.createdAt !== undefined && { createdAt: line.createdAt }),
  };
}
