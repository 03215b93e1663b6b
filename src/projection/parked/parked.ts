/** Finds, shows and discards the parked events of live tables. */

import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { groupDigits } from '../../domain/numbers.js';
import { partOf } from '../../domain/parts.js';
import { shellWord } from '../../domain/shell-word.js';
import { selectByName } from '../../domain/similar.js';
import { checkpointsOf } from '../../lease/checkpoints.js';
import { assertSameHistory } from '../../lease/same-history.js';
import { withLease } from '../../lease/with-lease.js';
import type { EventLog, Lease, ParkedEvent, Store } from '../../store/store.js';

/** Selects parked events of a projection: one by position or id, those of a stream, or all. */
export type ParkedSelection =
  | { readonly kind: 'position'; readonly position: number }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'all' };

export interface ParkedOptions {
  readonly store: Store;
  /** Shown to other processes that want the projection's lease, e.g. `host:1234`. */
  readonly owner: string;
  readonly signal: AbortSignal;
}

export interface ShownParked {
  readonly parked: ParkedEvent;
  /** Undefined when the log does not have it. */
  readonly event: RecordedEvent | undefined;
  /** Positions of earlier parked events of the same stream and tables. */
  readonly waitsBehind: readonly number[];
  /** How many later events of the same stream and tables wait. */
  readonly waitBehind: number;
}

export interface Discarded {
  readonly projection: string;
  readonly discarded: readonly ParkedEvent[];
  /** Streams that have waiting events but no failed one any more, and can be retried. */
  readonly streamsToRetry: readonly string[];
}

/** @throws E_NOT_FOUND for a name that no checkpoint, rebuild or parked event has */
export async function assertKnown({ projections }: Store, name: string): Promise<void> {
  const records = await projections.list();
  if (records.some((record) => record.name === name)) return;
  if ((await projections.parked({ projection: name, limit: 1 })).length > 0) return;
  selectByName(records, [name], (record) => record.name);
}

/**
 * Returns the parked events that the live tables lack, by part and position.
 * @throws E_NOT_FOUND when there is none, or no such projection
 */
export async function findParked(
  store: Store,
  name: string,
  selection: ParkedSelection,
): Promise<readonly ParkedEvent[]> {
  await assertKnown(store, name);
  const stream = selection.kind === 'stream' ? { streamId: selection.streamId } : {};
  const all = await store.projections.parked({ projection: name, rebuild: 0, state: 'parked', ...stream });
  const found = all.filter((each) => isSelected(each, selection));
  if (found.length > 0) return found;
  throw new EvstoreError('E_NOT_FOUND', `${describe(selection)} of ${name} is parked`, {
    why:
      all.length === 0
        ? 'Nothing of it waits.'
        : 'It may have been retried, skipped or discarded. A rebuild applies all events of the log.',
    next: `evstore parked list ${name}`,
  });
}

/** Shows one parked event: that of the live tables if they have one. @throws E_NOT_FOUND */
export async function showParked(store: Store, name: string, selection: ParkedSelection): Promise<ShownParked> {
  await assertKnown(store, name);
  const [parked] = (await store.projections.parked({ projection: name }))
    .filter((each) => isSelected(each, selection))
    .sort((a, b) => a.rebuild - b.rebuild);
  if (parked === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `${describe(selection)} of ${name} is parked`, {
      next: `evstore parked list ${name}`,
    });
  }
  const { projection, rebuild, streamId, globalPosition } = parked;
  const waiting = (await store.projections.parked({ projection, rebuild, streamId, state: 'parked' })).filter(
    (each) => each.projection === projection,
  );
  return {
    parked,
    event: await store.log.find(parked.id),
    waitsBehind: waiting.map((each) => each.globalPosition).filter((position) => position < globalPosition),
    waitBehind: waiting.filter((each) => each.globalPosition > globalPosition).length,
  };
}

/**
 * Discards parked events; those that wait behind them stay. Of a stream, or of all, it discards only those that failed.
 * @throws E_NOT_FOUND when nothing is parked
 * @throws E_SUPERSEDED when another process took the lease
 */
export async function discardParked(
  options: ParkedOptions,
  name: string,
  selection: ParkedSelection,
): Promise<Discarded> {
  await findDiscardable(options.store, name, selection);
  return withLiveTables(options, name, async ({ lease }) => {
    const { projections } = options.store;
    const found = await findDiscardable(options.store, name, selection);
    for (const [projection, events] of groupBy(found, (each) => each.projection)) {
      const added = events.map((each) => ({ ...each, state: 'discarded' as const }));
      await projections.apply({
        ...unmoved(lease),
        changes: { kind: 'statements', statements: [] },
        parked: { projection, added, removed: [] },
      });
    }
    const left = await projections.parked({ projection: name, rebuild: 0, state: 'parked' });
    const touched = new Set(found.map(({ streamId }) => streamId));
    const failed = new Set(left.filter(({ error }) => error !== null).map(({ streamId }) => streamId));
    const streamsToRetry = left
      .map(({ streamId }) => streamId)
      .filter((each) => touched.has(each) && !failed.has(each));
    return { projection: name, discarded: found, streamsToRetry: [...new Set(streamsToRetry)] };
  });
}

/** As `findParked`, but of a stream, or of all, only those that failed. */
export async function findDiscardable(
  store: Store,
  name: string,
  selection: ParkedSelection,
): Promise<readonly ParkedEvent[]> {
  const found = await findParked(store, name, selection);
  if (selection.kind === 'position' || selection.kind === 'id') return found;
  const failed = found.filter(({ error }) => error !== null);
  if (failed.length > 0) return failed;
  throw new EvstoreError('E_NOT_FOUND', `none of the parked events of ${name} has failed`, {
    why: `${groupDigits(found.length)} ${found.length === 1 ? 'event waits' : 'events wait'} behind discarded ones and can be retried.`,
    next: retryCommand(name, selection.kind === 'stream' ? selection.streamId : undefined),
  });
}

export function retryCommand(name: string, streamId?: string): string {
  return `evstore parked retry ${name} ${streamId === undefined ? '--all' : `--stream ${shellWord(streamId)}`}`;
}

export interface LiveTables {
  /** On the checkpoint of the projection, or of its first part; the leases of all parts are held. */
  readonly lease: Lease;
  /** Also aborted when the lease is lost. */
  readonly signal: AbortSignal;
}

/** Takes the lease of the live tables from their runner, which continues afterwards. */
export function withLiveTables<T>(
  { store, owner, signal }: ParkedOptions,
  name: string,
  work: (live: LiveTables) => Promise<T>,
): Promise<T> {
  const whole = { kind: 'checkpoint', subscriptionId: name } as const;
  return withLease(store.projections, whole, { owner, steal: true, signal }, async (lease, held) => {
    const checkpoints = checkpointsOf(await store.projections.checkpoints(), name);
    for (const checkpoint of checkpoints) await assertSameHistory(store.log, checkpoint);
    const [first] = checkpoints;
    if (first === undefined) throw new EvstoreError('E_BUG', `the checkpoint of ${name} vanished`);
    const { subscriptionId, position } = first;
    return work({ lease: { ...lease, target: { kind: 'checkpoint', subscriptionId }, position }, signal: held });
  });
}

/** A batch without new events: the checkpoint does not move. */
export function unmoved(lease: Lease): { lease: Lease; from: number; to: number; lastEventId: null } {
  return { lease, from: lease.position, to: lease.position, lastEventId: null };
}

/**
 * Reads the parked events of one stream from the log.
 * @throws E_DIVERGED when one is not in the log
 */
export async function readParked(log: EventLog, parked: readonly ParkedEvent[]): Promise<readonly RecordedEvent[]> {
  const positions = new Set(parked.map(({ globalPosition }) => globalPosition));
  const events: RecordedEvent[] = [];
  const [first] = parked;
  const begin = first === undefined ? undefined : await log.find(first.id);
  if (first !== undefined && begin !== undefined) {
    for await (const batch of log.readStream(first.streamId, { fromVersion: begin.version })) {
      for (const event of batch.events) if (positions.has(event.globalPosition)) events.push(event);
      if (events.length === positions.size) return events;
    }
  }
  throw new EvstoreError(
    'E_DIVERGED',
    `${groupDigits(positions.size - events.length)} parked events are not in the log`,
    {
      why: 'They were parked before the log was restored from an older copy.',
      next: first === undefined ? undefined : `evstore rebuild ${partOf(first.projection).projection}`,
    },
  );
}

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function isSelected({ globalPosition, id, streamId }: ParkedEvent, selection: ParkedSelection): boolean {
  if (selection.kind === 'position') return globalPosition === selection.position;
  if (selection.kind === 'id') return id === selection.id;
  return selection.kind === 'all' || streamId === selection.streamId;
}

function describe(selection: ParkedSelection): string {
  if (selection.kind === 'position') return `no event at position ${groupDigits(selection.position)}`;
  if (selection.kind === 'id') return `no event ${selection.id}`;
  return selection.kind === 'all' ? 'no event' : `no event of stream ${selection.streamId}`;
}
