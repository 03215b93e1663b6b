import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import type { Store } from '../../store/store.js';
import { isExternalProjection, isTableProjection, type PreparedProjection } from '../define/prepare.js';
import type { ExternalModel } from '../external/external.js';
import type { BatchFold, Folded, FoldTarget } from './batch-fold.js';
import { deferChanges } from './deferred-fold.js';
import { statementsOf } from './row-fold.js';
import { TableFold } from './table-fold.js';
import { ThreadedFold } from './threads/threaded-fold.js';

/** @param model where an external projection writes */
export function createBatchFold(
  store: Store,
  projection: PreparedProjection,
  target: FoldTarget,
  model?: ExternalModel,
): BatchFold {
  if (isExternalProjection(projection)) {
    if (model === undefined) throw new EvstoreError('E_BUG', `no model was opened for projection ${projection.name}`);
    return new CollectingFold(
      (event) => [model.toEvent(event)],
      (events) => ({
        // In the store's database there is only the position to write.
        changes: { kind: 'statements', statements: [] },
        writeOutside: (range) => model.write(events, range),
      }),
    );
  }
  if (target.isEmpty !== true && (projection.mode === 'inline' || target.isForeign === true)) {
    // Appends write these rows too, so they are read, folded and written in one transaction, and none stays in memory.
    // A handler that throws does so when the changes are applied.
    return new CollectingFold(
      (event) => [event],
      (events) => ({ changes: deferChanges(projection, events, target) }),
    );
  }
  if (isTableProjection(projection)) {
    const { threads = 1 } = target;
    return threads > 1
      ? new ThreadedFold(store.projections, projection, target, threads)
      : new TableFold(store.projections, projection, target);
  }
  return new CollectingFold(
    (event) => statementsOf(projection, event, target.physical),
    (statements) => ({ changes: { kind: 'statements', statements } }),
  );
}

/** Collects what each event makes, and needs no rows from the table. */
class CollectingFold<Item> implements BatchFold {
  readonly #toItems: (event: RecordedEvent) => readonly Item[];
  readonly #toFolded: (items: readonly Item[]) => Folded;
  #items: Item[] = [];

  constructor(toItems: (event: RecordedEvent) => readonly Item[], toFolded: (items: readonly Item[]) => Folded) {
    this.#toItems = toItems;
    this.#toFolded = toFolded;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#items.push(...this.#toItems(event));
  }

  async retry(event: RecordedEvent): Promise<void> {
    this.add(event);
  }

  takeChanges(): Folded {
    const items = this.#items;
    this.#items = [];
    return this.#toFolded(items);
  }

  forget(): void {
    this.#items = [];
  }
}
