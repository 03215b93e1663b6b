/** Projections in the transaction of an append, and what the runner has to leave to them. */
import type { AppendResult, RecordedEvent } from '../../../domain/event.js';
import type { Changes, DeferredChanges, Fold } from '../../../domain/read-model.js';
import { refusedAppend, selectWanted } from '../../inline.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { InlineProjection } from '../../store.js';
import { foldsWithin, type Session } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';
import { toInteger, toRecordedEvent } from '../connection/rows.js';
import { applyChanges, readRows } from '../read-models/read-model.js';
import { searchPath } from '../schema/schema-name.js';

/** Those whose live rows were made by the code at hand; they stay so until the transaction ends. */
export async function lockInline(
  session: Session,
  sql: SqlFolder,
  projections: readonly InlineProjection[],
): Promise<readonly InlineProjection[]> {
  const rows = await session.query(sql('lock-projections'), [
    projections.map(({ name }) => name),
    projections.map(({ isPerStream }) => !isPerStream),
  ]);
  const live = new Set(rows.map((row) => row.join('\n')));
  return projections.filter(({ name, version, codeHash }) => live.has([name, version, codeHash].join('\n')));
}

/**
 * Writes the rows of what was appended, and marks the events. Leaves out projections for which earlier events wait.
 * @throws E_HANDLER when a projection cannot take the events
 */
export async function applyInline(
  session: Session,
  sql: SqlFolder,
  schema: string,
  projections: readonly InlineProjection[],
  appended: AppendResult,
): Promise<void> {
  const ready: InlineProjection[] = [];
  for (const projection of projections) if (await isReady(session, sql, projection, appended)) ready.push(projection);
  if (ready.length === 0) return;
  const recorded = await readAppended(session, sql, appended);
  const marks: { readonly name: string; readonly position: number }[] = [];
  for (const projection of ready) {
    const events = selectWanted(projection, recorded);
    try {
      await applyChanges(session, schema, await complete(session, schema, projection.fold(events)));
    } catch (error) {
      throw refusedAppend(appended.streamId, projection.name, error);
    }
    for (const { globalPosition } of events) marks.push({ name: projection.name, position: globalPosition });
  }
  await session.query(sql('mark-inlined'), [marks.map(({ name }) => name), marks.map(({ position }) => position)]);
}

/**
 * The changes of the events that no append has applied; their marks go.
 * @param rebuild 0 for the live tables
 */
export async function resolveChanges(
  session: Session,
  sql: SqlFolder,
  schema: string,
  rebuild: number,
  { projection, events, isPerStream, fold }: DeferredChanges,
): Promise<Changes> {
  const positions = events.map(({ globalPosition }) => globalPosition);
  const rows = await session.query(sql('unmark-inlined'), [projection, rebuild, positions]);
  const marked = new Set(rows.map(([position]) => toInteger(position)));
  const unmarked = events.filter(({ globalPosition }) => !marked.has(globalPosition));
  if (unmarked.length === 0) return { kind: 'statements', statements: [] };
  // Where rows belong to one stream, no append touches those of a stream that has an event waiting.
  if (!isPerStream && rebuild === 0) await session.query(sql('lock-projections'), [[projection], [true]]);
  return complete(session, schema, fold(unmarked));
}

/** Of a transaction that applies them. */
export function preludeOf({ kind }: Changes | DeferredChanges, schema: string): string {
  if (kind === 'rows') return '';
  return kind === 'deferred' ? `${searchPath(schema)}; ${foldsWithin}` : searchPath(schema);
}

async function isReady(
  session: Session,
  sql: SqlFolder,
  { name, filter, isPerStream }: InlineProjection,
  { streamId, events: [first] }: AppendResult,
): Promise<boolean> {
  if (first === undefined) return false;
  const statement = isPerStream
    ? { text: sql('inline-stream'), parameters: [name, streamId, first.version, filter.types ?? null] }
    : addFilter({ text: sql('inline-log'), parameters: [name, streamId, first.globalPosition] }, filter);
  const [row] = await session.query(statement.text, statement.parameters);
  return row?.[0] === 't';
}

/** As every reader will get them: the time is the database's. */
async function readAppended(
  session: Session,
  sql: SqlFolder,
  { streamId, events, version }: AppendResult,
): Promise<readonly RecordedEvent[]> {
  const parameters = [streamId, version - events.length + 1, version, events.length];
  return (await session.query(sql('read-stream'), parameters)).map(toRecordedEvent);
}

async function complete(session: Session, schema: string, fold: Fold): Promise<Changes> {
  if (fold.kind === 'statements') return fold;
  return fold.complete(await readRows(session, schema, fold.table, fold.spec, fold.keys));
}
