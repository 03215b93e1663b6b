/** The messages between an import and the thread that writes it. */
import type { ErrorCode, EvstoreError } from '../../../domain/errors.js';
import type { ImportedEvent, ImportResult } from '../../store.js';
import type { FileTarget } from '../connection/connection-url.js';
import type { Conflict } from './import.js';

/** The data that the thread starts with. */
export interface ImportWork {
  readonly target: FileTarget;
  readonly conflict: Conflict;
  readonly joined: boolean;
}

export type ImportRequest =
  | { readonly kind: 'write'; readonly events: PackedEvents }
  /** Nothing follows. */
  | { readonly kind: 'end' };

export type ImportReply =
  /** There is room for another batch. */
  | { readonly kind: 'taken' }
  /** The results of the batches since the last commit. */
  | { readonly kind: 'committed'; readonly results: readonly ImportResult[] }
  /** Everything uncommitted is rolled back, and nothing more is written. */
  | { readonly kind: 'failed'; readonly error: PackedError }
  | { readonly kind: 'ended' };

/** The class and the cause of an error cannot be sent. */
export type PackedError = Pick<EvstoreError, 'message' | 'why' | 'next' | 'details'> & { readonly code: ErrorCode };

/** Sending one text and one array of numbers takes a tenth of the time of sending the events. */
export interface PackedEvents {
  /** The members of all events, joined, in the order of `members`. */
  readonly text: string;
  /** For each event the lengths of its members, then its schema version. */
  readonly numbers: Uint32Array;
}

const members = ['id', 'streamId', 'type', 'data', 'metadata', 'streamType', 'createdAt'] as const;
const numbersPerEvent = members.length + 1;
/** The length of a member that an event does not have. */
const absent = 0xffff_ffff;

export function packEvents(events: readonly ImportedEvent[]): PackedEvents {
  const texts: string[] = [];
  const numbers = new Uint32Array(events.length * numbersPerEvent);
  let next = 0;
  for (const event of events) {
    for (const member of members) {
      const value = event[member];
      numbers[next++] = value?.length ?? absent;
      if (value !== undefined) texts.push(value);
    }
    numbers[next++] = event.schemaVersion;
  }
  return { text: texts.join(''), numbers };
}

export function unpackEvents({ text, numbers }: PackedEvents): readonly ImportedEvent[] {
  const events: ImportedEvent[] = [];
  let from = 0;
  let next = 0;
  const cut = (): string | undefined => {
    const length = numbers[next++] ?? absent;
    if (length === absent) return undefined;
    from += length;
    return text.slice(from - length, from);
  };
  const cutText = () => cut() ?? '';
  while (next < numbers.length) {
    const [id, streamId, type, data, metadata] = [cutText(), cutText(), cutText(), cutText(), cutText()];
    const [streamType, createdAt] = [cut(), cut()];
    events.push({
      id,
      streamId,
      type,
      data,
      metadata,
      schemaVersion: numbers[next++] ?? 0,
      ...(streamType !== undefined && { streamType }),
      ...(createdAt !== undefined && { createdAt }),
    });
  }
  return events;
}

export function packError({ code, message, why, next, details }: EvstoreError): PackedError {
  return { code, message, why, next, details };
}
