/** Projections in the transaction of an append, and what the runner has to leave to them. */
import type { AppendResult, RecordedEvent } from '../../../domain/event.js';
import type { Changes, DeferredChanges, Fold } from '../../../domain/read-model.js';
import { refusedAppend, selectWanted } from '../../inline.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { InlineProjection } from '../../store.js';
import type { Session } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';
import { toInteger } from '../connection/rows.js';
import { applyChanges, readRows } from '../read-models/read-model.js';
import { readEvents } from './read-events.js';

/** Those whose live rows were made by the code at hand; the transaction has the only write lock, so they stay so. */
export function lockInline(
  session: Session,
  sql: SqlFolder,
  projections: readonly InlineProjection[],
): readonly InlineProjection[] {
  const rows = session.query(sql('live-code'), [JSON.stringify(projections.map(({ name }) => name))]);
  const live = new Set(rows.map((row) => row.join('\n')));
  return projections.filter(({ name, version, codeHash }) => live.has([name, version, codeHash].join('\n')));
}

/**
 * Writes the rows of what was appended, and marks the events. Leaves out projections for which earlier events wait.
 * @throws E_HANDLER when a projection cannot take the events
 */
export function applyInline(
  session: Session,
  sql: SqlFolder,
  projections: readonly InlineProjection[],
  appended: AppendResult,
): void {
  const ready = projections.filter((projection) => isReady(session, sql, projection, appended));
  if (ready.length === 0) return;
  const recorded = readAppended(session, sql, appended);
  for (const projection of ready) {
    const events = selectWanted(projection, recorded);
    try {
      applyChanges(session, complete(session, projection.fold(events)));
    } catch (error) {
      throw refusedAppend(appended.streamId, projection.name, error);
    }
    session.run(sql('mark-inlined'), [projection.name, positionsOf(events)]);
  }
}

/**
 * The changes of the events that no append has applied; their marks go.
 * @param rebuild 0 for the live tables
 */
export function resolveChanges(
  session: Session,
  sql: SqlFolder,
  rebuild: number,
  { projection, events, fold }: DeferredChanges,
): Changes {
  const rows = session.query(sql('unmark-inlined'), [projection, rebuild, positionsOf(events)]);
  const marked = new Set(rows.map(([position]) => toInteger(position)));
  const unmarked = events.filter(({ globalPosition }) => !marked.has(globalPosition));
  return unmarked.length === 0 ? { kind: 'statements', statements: [] } : complete(session, fold(unmarked));
}

function isReady(
  session: Session,
  sql: SqlFolder,
  { name, filter, isPerStream }: InlineProjection,
  { streamId, events: [first] }: AppendResult,
): boolean {
  if (first === undefined) return false;
  const types = filter.types === undefined ? null : JSON.stringify(filter.types);
  const statement = isPerStream
    ? { text: sql('inline-stream'), parameters: [name, streamId, first.version, types] }
    : addFilter({ text: sql('inline-log'), parameters: [name, streamId, first.globalPosition] }, filter);
  const [row] = session.query(statement.text, statement.parameters);
  return row?.[0] === 1;
}

/** As every reader will get them: the time is the database's. */
function readAppended(
  session: Session,
  sql: SqlFolder,
  { streamId, events, version }: AppendResult,
): readonly RecordedEvent[] {
  const parameters = [streamId, version - events.length + 1, version, events.length];
  return readEvents(session, sql, { text: sql('read-stream'), parameters });
}

function positionsOf(events: readonly RecordedEvent[]): string {
  return JSON.stringify(events.map(({ globalPosition }) => globalPosition));
}

function complete(session: Session, fold: Fold): Changes {
  if (fold.kind === 'statements') return fold;
  return fold.complete(readRows(session, fold.table, fold.spec, fold.keys));
}
