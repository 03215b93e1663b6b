/** How much of the log a read may look at without finding what it asks for. */
import type { EventQuery } from '../domain/event.js';
import type { Store } from '../store/store.js';

export interface ScanRange {
  readonly streamId?: string;
  /** Exclusive. */
  readonly after?: number;
  /** Inclusive. */
  readonly to?: number;
  readonly filter: EventQuery;
}

/** So many positions are looked through in a fraction of a second. */
export const fewPositions = 50_000;

/** Returns the positions it may look at; undefined when an index leads to the events, when every event is wanted, and for few. */
export async function measureScan(
  { log, statistics, schema, engine }: Pick<Store, 'log' | 'statistics' | 'schema' | 'engine'>,
  { streamId, after = 0, to = Number.MAX_SAFE_INTEGER, filter }: ScanRange,
): Promise<number | undefined> {
  const { category, categories, types, since, until, correlationId, causationId, where } = filter;
  const conditions: unknown[] = [category, categories, correlationId, causationId, where];
  // Its index of times does not tell where in the log they are.
  if (engine === 'sqlite') conditions.push(since, until);
  const isSearch = conditions.some((part) => part !== undefined);
  if (streamId !== undefined || !isSearch) return undefined;
  const positions = Math.min(to, (await log.head()).safeHead) - after;
  if (positions <= fewPositions) return undefined;
  const ids = [correlationId && 'correlationId', causationId && 'causationId'];
  if (ids.some((key) => key !== undefined)) {
    const indexes = await schema.idIndexes();
    if (indexes.some(({ key, state }) => state === 'ready' && ids.includes(key))) return undefined;
  }
  if (types === undefined) return positions;
  let events = 0;
  for (const type of types) events += await statistics.countType(type, fewPositions + 1 - events);
  return events > fewPositions ? positions : undefined;
}
