/** Which part of the log a question about ids is answered from. */
import type { Store } from '../store/store.js';

export interface SearchOptions {
  /** Look at every event where no index leads to those that are wanted. */
  readonly exact: boolean;
  /** Called before all of a long log is read. */
  readonly startsLong: (positions: number) => Promise<void>;
  /** Told after every part of the log that was read. */
  readonly progress: (position: number, head: number) => void;
  /** @throws its reason when it aborts */
  readonly signal: AbortSignal;
}

/** What was looked at: the whole log by index, or the events after one position up to another. */
export interface Extent {
  readonly byIndex: boolean;
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly to: number;
  /** The last position of the log. */
  readonly head: number;
  /** No event was left out. */
  readonly isWhole: boolean;
}

/** So many positions are looked at unasked: it takes a fraction of a second. */
const usualLength = 20_000;
/** Of them, those before the first event that is known. */
const lengthBefore = 5_000;

/**
 * @param keys of the metadata, by which events are wanted
 * @param near the position of an event that is known; undefined looks at the end of the log
 */
export async function chooseExtent(
  { log, schema }: Pick<Store, 'log' | 'schema'>,
  keys: readonly ('correlationId' | 'causationId')[],
  near: number | undefined,
  { exact, startsLong }: SearchOptions,
): Promise<Extent> {
  const { safeHead: head } = await log.head();
  const indexes = await schema.idIndexes();
  const byIndex = keys.every((key) => indexes.some((index) => index.key === key && index.state === 'ready'));
  if (!byIndex && exact && head > usualLength) await startsLong(head);
  if (byIndex || exact || head <= usualLength) return { byIndex, after: 0, to: head, head, isWhole: true };
  const after = Math.max(0, Math.min((near ?? head) - lengthBefore, head - usualLength));
  const to = after + usualLength;
  return { byIndex, after, to, head, isWhole: false };
}

/** What the indexes on ids would take: measured, for ids of 36 characters on a small machine. */
export function estimateIndexes(events: number): { readonly bytes: number; readonly seconds: number } {
  return { bytes: events * 140, seconds: events / 75_000 };
}
