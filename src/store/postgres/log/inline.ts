/** Applies inline projections in the transaction of an append, and leaves their events out of what a runner applies. */
import type { AppendResult } from '../../../domain/event.js';
import type { Changes, DeferredChanges, Fold } from '../../../domain/read-model.js';
import { chooseInline, type InlineChoice, refusedAppend, selectWanted } from '../../shared/inline.js';
import { toInteger, toRecordedEvent } from '../../shared/rows.js';
import type { InlineProjection } from '../../store.js';
import { foldsWithin, type Session } from '../connection/database.js';
import { applyChanges, readRows } from '../read-models/read-model.js';
import { searchPath } from '../schema/schema-name.js';

/** Chooses the projections whose live rows this program's code made; that stays so until the transaction ends. */
export async function lockInline(session: Session, projections: readonly InlineProjection[]): Promise<InlineChoice> {
  const rows = await session.ask('lock-projections', [projections.map(({ name }) => name), false]);
  return chooseInline(projections, rows);
}

/**
 * Writes the rows of what was appended, and marks the events. Leaves out projections for which earlier events wait.
 * @throws E_HANDLER when a projection cannot process the events
 */
export async function applyInline(
  session: Session,
  projections: readonly InlineProjection[],
  { streamId, events, version }: AppendResult,
): Promise<void> {
  const first = version - events.length + 1;
  const ready: InlineProjection[] = [];
  for (const projection of projections) {
    const types = projection.filter.types ?? null;
    const [row] = await session.ask('inline-stream', [projection.name, streamId, first, types]);
    if (row?.[0] === 't') ready.push(projection);
  }
  if (ready.length === 0) return;
  // As every reader gets them: the time is the database's.
  const rows = await session.ask('read-stream', [streamId, first, version, events.length]);
  const recorded = rows.map(toRecordedEvent);
  const marks: { readonly name: string; readonly position: number }[] = [];
  for (const projection of ready) {
    const wanted = selectWanted(projection, recorded);
    try {
      await applyChanges(session, await complete(session, projection.fold(wanted)));
    } catch (error) {
      throw refusedAppend(streamId, projection.name, error);
    }
    for (const { globalPosition } of wanted) marks.push({ name: projection.name, position: globalPosition });
  }
  await session.ask('mark-inlined', [marks.map(({ name }) => name), marks.map(({ position }) => position)]);
}

/**
 * Returns the changes of the events that no append has applied, and deletes the marks of the others.
 * @param rebuild 0 for the live tables
 */
export async function resolveChanges(
  session: Session,
  rebuild: number,
  { projection, events, fold }: DeferredChanges,
): Promise<Changes> {
  const positions = events.map(({ globalPosition }) => globalPosition);
  const rows = await session.ask('unmark-inlined', [projection, rebuild, positions]);
  const marked = new Set(rows.map(([position]) => toInteger(position)));
  const unmarked = events.filter(({ globalPosition }) => !marked.has(globalPosition));
  if (unmarked.length === 0) return { kind: 'statements', statements: [] };
  return complete(session, fold(unmarked));
}

/** Returns the prelude of a transaction that applies the changes. */
export function preludeOf({ kind }: Changes | DeferredChanges, schema: string): string {
  if (kind === 'rows') return '';
  return kind === 'deferred' ? `${searchPath(schema)}; ${foldsWithin}` : searchPath(schema);
}

async function complete(session: Session, fold: Fold): Promise<Changes> {
  if (fold.kind === 'statements') return fold;
  return fold.complete(await readRows(session, fold.table, fold.spec, fold.keys));
}
