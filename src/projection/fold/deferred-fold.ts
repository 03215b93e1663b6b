/** Projections that appends apply: pure functions that the driver calls in the transaction of the append, or of a batch. */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import type { DeferredChanges, Fold } from '../../domain/read-model.js';
import type { InlineProjection } from '../../store/store.js';
import { keyOf } from '../define/columns.js';
import { withoutName } from '../define/handler-error.js';
import {
  isExternalProjection,
  isTableProjection,
  type PreparedProjection,
  type PreparedTableProjection,
} from '../define/prepare.js';
import type { FoldTarget } from './batch-fold.js';
import { HeldRows } from './held-rows.js';
import { foldEvent, routeEvent, statementsOf } from './row-fold.js';

type WrittenTables = Pick<FoldTarget, 'physical' | 'part'>;

/** Returns what an append needs to write the live tables. */
export function toInlineProjection(projection: PreparedProjection): InlineProjection {
  const { name, version, codeHash, filter } = projection;
  const live: WrittenTables = { physical: (table) => table };
  return {
    name,
    version,
    codeHash,
    filter,
    fold: (events) => foldAtOnce(projection, events, live),
  };
}

/** Returns what the transaction of a batch needs to write the tables, or a part of their rows. */
export function deferChanges(
  projection: PreparedProjection,
  events: readonly RecordedEvent[],
  target: WrittenTables,
): DeferredChanges {
  return {
    kind: 'deferred',
    projection: projection.name,
    events,
    fold: (unmarked) => {
      const fold = unnamed(() => foldAtOnce(projection, unmarked, target));
      if (fold.kind === 'statements') return fold;
      return { ...fold, complete: (rows) => unnamed(() => fold.complete(rows)) };
    },
  };
}

/** Removes the name of the event at fault: the batch is applied as a whole, so the event is searched for afterwards. */
function unnamed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withoutName(error);
  }
}

/** @throws E_HANDLER naming the event */
function foldAtOnce(projection: PreparedProjection, events: readonly RecordedEvent[], target: WrittenTables): Fold {
  if (isExternalProjection(projection)) {
    throw new EvstoreError('E_BUG', `the rows of ${projection.name} are outside the store`);
  }
  return isTableProjection(projection)
    ? foldRows(projection, events, target)
    : { kind: 'statements', statements: events.flatMap((event) => statementsOf(projection, event, target.physical)) };
}

function foldRows(
  projection: PreparedTableProjection,
  events: readonly RecordedEvent[],
  { physical, part }: WrittenTables,
): Fold {
  const { shape } = projection;
  const { spec } = shape;
  const table = physical(spec.name);
  const routed = events.map((event) => routeEvent(projection, event, part));
  const keys = new Map(routed.flatMap((event) => event.keys.map(({ text, columns }) => [text, columns])));
  return {
    kind: 'fold',
    spec,
    table,
    keys: [...keys.values()],
    complete: (rows) => {
      const current = new Map(rows.map((row) => [keyOf(shape, row).text, row]));
      const held = new HeldRows(shape, { isEmpty: false });
      for (const [text, columns] of keys) held.learn({ text, columns }, current.get(text) ?? null);
      for (const event of routed) foldEvent(projection, event, held);
      return held.takeChanges(table);
    },
  };
}
