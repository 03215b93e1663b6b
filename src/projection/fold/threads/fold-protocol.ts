/** What passes between a parallel fold and its threads; one question at a time, and its answer. */
import type { RecordedEvent } from '../../../domain/event.js';
import type { Part } from '../../../domain/parts.js';
import type { RowChanges, StoredRow } from '../../../domain/read-model.js';

/** What a thread is started with. */
export interface ThreadWork {
  readonly file: string;
  readonly name: string;
  readonly codeHash: string;
  /** The table that is written. */
  readonly table: string;
  /** The rows that are its own. */
  readonly part: Part;
  readonly isEmpty: boolean;
  readonly cacheBytes: number | undefined;
}

export type ThreadRequest =
  | { readonly kind: 'fold'; readonly events: readonly RecordedEvent[] }
  /** The answer to `read`; null when they cannot be read. */
  | { readonly kind: 'rows'; readonly rows: readonly StoredRow[] | null }
  /** Asks for what was folded since the last time, to be written before it is asked for again. */
  | { readonly kind: 'take' }
  /** It was not written, and nothing is known of the table any more. */
  | { readonly kind: 'forget' };

/** What has become of the rows: as `RowChanges` has them. */
export type TakenRows = Required<Pick<RowChanges, 'inserts' | 'upserts' | 'deletes'>>;

export type ThreadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unloadable'; readonly why: string }
  /** Asks for the rows of these keys. */
  | { readonly kind: 'read'; readonly keys: readonly StoredRow[] }
  | { readonly kind: 'folded'; readonly failed: boolean; readonly isFull: boolean }
  | { readonly kind: 'taken'; readonly rows: TakenRows };
