/** Retries parked events on the live tables: stream by stream, in order, each event exactly once. */
import { mayWrite } from '../../domain/code-identity.js';
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../domain/event.js';
import { partOf } from '../../domain/parts.js';
import { assertVersion, findRecord } from '../../lease/registration.js';
import type { ParkedEvent, SetAside, Store } from '../../store/store.js';
import { isEventsFault, narrow } from '../catch-up/error-policy.js';
import { failedPosition, toNamedError } from '../define/handler-error.js';
import { isExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { toSetAside } from '../define/set-aside.js';
import { createBatchFold } from '../fold/create-batch-fold.js';
import { Slices } from '../fold/slices.js';
import {
  findParked,
  groupBy,
  type LiveTables,
  type ParkedOptions,
  type ParkedSelection,
  readParked,
  unmoved,
  withLiveTables,
} from './parked.js';

export interface RetryOptions extends ParkedOptions {
  readonly projection: PreparedProjection;
}

export interface RetriedStream {
  readonly streamId: string;
  /** Events that are now in the tables. */
  readonly applied: number;
  /** Events that stay parked. */
  readonly waiting: number;
  /** The error of the one that still fails. */
  readonly error: EvstoreError | null;
}

/**
 * Retries all parked events of the selected streams, in the order of their first parked events. In each stream, the first
 * event that still fails stays parked, and those after it wait behind it.
 * @throws E_NOT_FOUND when nothing is parked
 * @throws E_STALE_PROJECTION, E_CONFIG when the code cannot write these tables
 * @throws E_SUPERSEDED when another process took the lease: events that were applied until then stay in the tables
 */
export async function retryParked(
  options: RetryOptions,
  selection: ParkedSelection,
): Promise<readonly RetriedStream[]> {
  const { store, projection } = options;
  const { name } = projection;
  await findParked(store, name, selection);
  await assertCanRetry(store, projection);
  return withLiveTables(options, name, async (live) => {
    // Tables may have been swapped in since. From here on they stay the same, or nothing is written.
    const isForeign = await assertCanRetry(store, projection);
    const selected = await findParked(store, name, selection);
    const retried: RetriedStream[] = [];
    for (const streamId of new Set(selected.map((each) => each.streamId))) {
      const parked = await store.projections.parked({ projection: name, rebuild: 0, state: 'parked', streamId });
      let failed: readonly string[] = [];
      for (const events of inOrder(parked)) {
        const holder = events[0]?.projection ?? name;
        const waits = failed.some((each) => each === name || holder === name || each === holder);
        const result = waits ? waiting(streamId, events) : await retryStream(options, live, isForeign, events);
        if (waits || result.error !== null) failed = [...failed, holder];
        retried.push(result);
      }
    }
    return retried;
  });
}

/**
 * Cuts the parked events of a stream into groups to be retried one after the other. Parts write different rows, so within
 * a run of parts each has one group; the undivided projection, which parks during rebuilds and rollbacks, writes all rows.
 */
function inOrder(parked: readonly ParkedEvent[]): readonly (readonly ParkedEvent[])[] {
  const runs: ParkedEvent[][] = [];
  const isWhole = ({ projection }: ParkedEvent) => partOf(projection).part.of === 1;
  for (const event of [...parked].sort((a, b) => a.globalPosition - b.globalPosition)) {
    const last = runs.at(-1);
    if (last?.[0] !== undefined && isWhole(last[0]) === isWhole(event)) last.push(event);
    else runs.push([event]);
  }
  return runs.flatMap((run) => [...groupBy(run, (each) => each.projection).values()]);
}

/** What waits behind an earlier event of its stream that still fails. */
function waiting(streamId: string, events: readonly ParkedEvent[]): RetriedStream {
  return { streamId, applied: 0, waiting: events.length, error: null };
}

/** Returns true when code of another definition made the rows: see `FoldTarget`. */
async function assertCanRetry(store: Store, projection: PreparedProjection): Promise<boolean> {
  const { name } = projection;
  if (isExternalProjection(projection)) {
    throw new EvstoreError('E_CONFIG', `parked events of ${name} cannot be retried`, {
      why: 'Its rows are outside the store, and are written in the order of the log only.',
      next: `evstore rebuild ${name}`,
    });
  }
  const record = await findRecord(store, name);
  if (record === undefined) return false;
  assertVersion(record, projection);
  return !mayWrite(record, projection);
}

/** Retries the events of one stream and one part: in one transaction, or more if the database refuses one of them. */
async function retryStream(
  { store, projection }: RetryOptions,
  { lease, signal }: LiveTables,
  isForeign: boolean,
  parked: readonly ParkedEvent[],
): Promise<RetriedStream> {
  const { projection: holder = projection.name, streamId = '' } = parked[0] ?? {};
  const { part } = partOf(holder);
  const fold = createBatchFold(store, projection, { physical: String, part, isForeign, signal });
  let applied = 0;

  /** Writes the rows, removes their events from the parked ones, and records the failure of the next event. */
  const write = async (events: readonly RecordedEvent[], failed?: { event: RecordedEvent; error: EvstoreError }) => {
    const { changes } = await fold.takeChanges();
    signal.throwIfAborted();
    const removed = events.map(({ globalPosition }) => globalPosition);
    const added = failed === undefined ? [] : [toParkedAgain(parked, failed.event, failed.error)];
    await store.projections.apply({ ...unmoved(lease), changes, parked: { projection: holder, removed, added } });
    applied += events.length;
  };
  const apply = async ({ events }: EventBatch) => {
    try {
      await fold.prepare(events);
      const slices = new Slices();
      for (const [index, event] of events.entries()) {
        if (slices.isOver) await slices.next();
        signal.throwIfAborted();
        try {
          fold.add(event);
        } catch (error) {
          if (!isEventsFault(error)) throw error;
          await write(events.slice(0, index), { event, error });
          throw error;
        }
      }
      await write(events);
    } catch (error) {
      fold.forget();
      throw error;
    }
  };
  const refuse = async (event: RecordedEvent, error: EvstoreError) => {
    const named = toNamedError(projection.name, event, error);
    await write([], { event, error: named });
    throw named;
  };

  const events = await readParked(store.log, parked);
  let failure: EvstoreError | null = null;
  try {
    await narrow({ events, upTo: lease.position }, apply, refuse);
  } catch (error) {
    if (!isEvstoreError(error) || failedPosition(error) === undefined) throw error;
    failure = error;
  }
  return { streamId, applied, waiting: events.length - applied, error: failure };
}

function toParkedAgain(parked: readonly ParkedEvent[], event: RecordedEvent, error: EvstoreError): SetAside {
  const before = parked.find(({ globalPosition }) => globalPosition === event.globalPosition);
  return toSetAside(event, 'parked', { error, attempts: 1 + (before?.attempts ?? 0) });
}
