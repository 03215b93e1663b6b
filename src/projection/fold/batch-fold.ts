/**
 * What a batch of events makes of a read model: rows to write where they are folded, statements where they are told, and
 * where the rows are outside the store's database what is written there first.
 */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import type { Part } from '../../domain/parts.js';
import type { Changes, DeferredChanges, Statement } from '../../domain/read-model.js';
import type { Store } from '../../store/store.js';
import type { Event } from '../define/definition.js';
import {
  isExternalProjection,
  isTableProjection,
  type PreparedProjection,
  type PreparedSqlProjection,
} from '../define/prepare.js';
import type { ExternalModel } from '../external/external.js';
import { deferChanges } from './deferred-fold.js';
import { RowBatchFold } from './row-batch-fold.js';
import { statementsOf } from './row-fold.js';
import { ParallelBatchFold } from './threads/parallel-fold.js';

/** The table that is written. */
export interface FoldTarget {
  /** Maps a name readers use to the table to write. */
  readonly physical: (name: string) => string;
  /** Only rows whose keys fall to it are written; all of them unless said. */
  readonly part?: Part;
  /** The table holds nothing: no key has to be looked up. */
  readonly isEmpty?: boolean;
  /** What the rows kept in memory may take, in bytes. */
  readonly cacheBytes?: number | undefined;
  /** Other code has made its rows, in appends perhaps: what they have marked is passed over. */
  readonly isForeign?: boolean;
  /** Threads that run the handlers of a table projection that comes from a file; this one unless more than 1. */
  readonly threads?: number | undefined;
  /** Aborted: the batch under way is dropped, nothing of it is written. */
  readonly signal: AbortSignal;
}

/** Positions a batch lies between. */
export interface PositionRange {
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface Folded {
  readonly changes: Changes | DeferredChanges;
  /**
   * To be called before the changes are applied: what is outside the store's database.
   * @throws E_HANDLER naming the event, or none where it is about the batch
   */
  readonly writeOutside?: (range: PositionRange) => Promise<void>;
}

export interface BatchFold {
  /** What was added is to be written before more is. Undefined where it is to be written with its batch. */
  readonly isFull?: boolean;
  /** Gets what it folds with ready. @throws E_CONFIG when the code cannot be loaded there */
  start?(): Promise<void>;
  /**
   * Gets a batch of events ready to be added in this order: reads the rows they are about. An event at fault shows when
   * it is added.
   */
  prepare(events: readonly RecordedEvent[]): Promise<void>;
  /**
   * Folds the next event that was prepared; those between may be left out.
   * @throws E_HANDLER naming the event, which has then changed nothing
   */
  add(event: RecordedEvent): void;
  /** Prepares an event that failed anew, and folds it. @throws as `add` */
  retry(event: RecordedEvent): Promise<void>;
  /**
   * What the events added since the last time make; of no use when the signal aborted meanwhile. The next ones start from
   * it: more may be added before it is written, but not taken.
   */
  take(): Folded | Promise<Folded>;
  /** After a failure, or a move: what was added is dropped, what was remembered of the table looked up anew. */
  forget(): void;
  /** Lets go of what it folds with; it is of no use any more. */
  close?(): Promise<void>;
}

/** @param model of an external projection: where it writes */
export function createBatchFold(
  store: Store,
  projection: PreparedProjection,
  target: FoldTarget,
  model?: ExternalModel,
): BatchFold {
  if (isExternalProjection(projection)) {
    if (model === undefined) throw new EvstoreError('E_BUG', `nothing was opened for projection ${projection.name}`);
    return new ExternalBatchFold(model);
  }
  if (target.isEmpty !== true && (projection.mode === 'inline' || target.isForeign === true)) {
    return new DeferredBatchFold(projection, target);
  }
  if (isTableProjection(projection)) {
    const { threads = 1 } = target;
    return threads > 1
      ? new ParallelBatchFold(store.projections, projection, target, threads)
      : new RowBatchFold(store.projections, projection, target);
  }
  return new StatementBatchFold(projection, target);
}

class StatementBatchFold implements BatchFold {
  readonly #projection: PreparedSqlProjection;
  readonly #target: FoldTarget;
  #statements: Statement[] = [];

  constructor(projection: PreparedSqlProjection, target: FoldTarget) {
    this.#projection = projection;
    this.#target = target;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#statements.push(...statementsOf(this.#projection, event, this.#target.physical));
  }

  async retry(event: RecordedEvent): Promise<void> {
    this.add(event);
  }

  take(): Folded {
    const statements = this.#statements;
    this.#statements = [];
    return { changes: { kind: 'statements', statements } };
  }

  forget(): void {
    this.#statements = [];
  }
}

/**
 * Appends write the rows too: they are read, folded and written in one transaction, and nothing is remembered. What a
 * handler cannot take shows when it is applied, as what the database refuses does.
 */
class DeferredBatchFold implements BatchFold {
  readonly #projection: PreparedProjection;
  readonly #target: FoldTarget;
  #events: RecordedEvent[] = [];

  constructor(projection: PreparedProjection, target: FoldTarget) {
    this.#projection = projection;
    this.#target = target;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#events.push(event);
  }

  async retry(event: RecordedEvent): Promise<void> {
    this.add(event);
  }

  take(): Folded {
    const events = this.#events;
    this.#events = [];
    return { changes: deferChanges(this.#projection, events, this.#target) };
  }

  forget(): void {
    this.#events = [];
  }
}

/** In the store's database there is nothing to write but the position. */
class ExternalBatchFold implements BatchFold {
  readonly #model: ExternalModel;
  #events: Event[] = [];

  constructor(model: ExternalModel) {
    this.#model = model;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#events.push(this.#model.toEvent(event));
  }

  async retry(event: RecordedEvent): Promise<void> {
    this.add(event);
  }

  take(): Folded {
    const events = this.#events;
    this.#events = [];
    return {
      changes: { kind: 'statements', statements: [] },
      writeOutside: (range) => this.#model.write(events, range),
    };
  }

  forget(): void {
    this.#events = [];
  }
}
