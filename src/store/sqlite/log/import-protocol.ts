/** What passes between an import and the thread that writes it. */
import type { ErrorCode, EvstoreError } from '../../../domain/errors.js';
import type { ImportedEvent, ImportResult } from '../../store.js';
import type { FileTarget } from '../connection/connection-url.js';
import type { Conflict } from './import.js';

/** What the thread is started with. */
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
  /** What became of each batch since the last time. */
  | { readonly kind: 'committed'; readonly results: readonly ImportResult[] }
  /** What was not committed is rolled back, and nothing more is written. */
  | { readonly kind: 'failed'; readonly error: PackedError }
  | { readonly kind: 'ended' };

/** An error's class and cause do not pass. */
export type PackedError = Pick<EvstoreError, 'message' | 'why' | 'next' | 'details'> & { readonly code: ErrorCode };

/** One text and one array of numbers pass between threads in a tenth of the time that as many events take. */
export interface PackedEvents {
  /** The members of all events, one after the other, in the order of `members`. */
  readonly text: string;
  /** Of each event the lengths of its members, then its schema version. */
  readonly numbers: Uint32Array;
}

const members = ['id', 'streamId', 'type', 'data', 'metadata', 'streamType', 'createdAt'] as const;
const numbersPerEvent = members.length + 1;
/** Length of a member that an event does not have. */
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
