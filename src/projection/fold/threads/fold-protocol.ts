/** The messages between a threaded fold and its threads: one request at a time, and its reply. */
import type { RecordedEvent } from '../../../domain/event.js';
import type { Part } from '../../../domain/parts.js';
import type { RowChanges, StoredRow } from '../../../domain/read-model.js';

/** What a thread gets when it starts. */
export interface ThreadWork {
  readonly file: string;
  readonly name: string;
  readonly codeHash: string;
  /** Of its functions, as they were loaded. */
  readonly text: string;
  /** The table to write. */
  readonly table: string;
  /** The rows of this thread. */
  readonly part: Part;
  readonly isEmpty: boolean;
  readonly cacheBytes: number | undefined;
}

export type ThreadRequest =
  | { readonly kind: 'fold'; readonly events: readonly RecordedEvent[] }
  /** The reply to `read`; null when the rows cannot be read. */
  | { readonly kind: 'rows'; readonly rows: readonly StoredRow[] | null }
  /** Asks for the changes since the last time, which are written before it asks again. */
  | { readonly kind: 'take' }
  /** The changes were not written, and the rows in memory may be wrong. */
  | { readonly kind: 'forget' };

/** The rows of `RowChanges`. */
export type TakenRows = Required<Pick<RowChanges, 'inserts' | 'upserts' | 'deletes'>>;

export type ThreadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unloadable'; readonly why: string }
  /** Asks for the rows with these keys. */
  | { readonly kind: 'read'; readonly keys: readonly StoredRow[] }
  | { readonly kind: 'folded'; readonly failed: boolean; readonly isFull: boolean }
  | { readonly kind: 'taken'; readonly rows: TakenRows };
