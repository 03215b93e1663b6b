/** Applies inline projections in the transaction of an append, and leaves their events out of what a runner applies. */
import type { AppendResult, RecordedEvent } from '../../../domain/event.js';
import type { Changes, DeferredChanges, Fold } from '../../../domain/read-model.js';
import { chooseInline, type InlineChoice, refusedAppend, selectWanted } from '../../shared/inline.js';
import { toInteger } from '../../shared/rows.js';
import type { InlineProjection } from '../../store.js';
import type { Session } from '../connection/database.js';
import { applyChanges, readRows } from '../read-models/read-model.js';
import { readEvents } from './read-events.js';

/** Chooses the projections whose live rows this program's code made; the write lock keeps it so. */
export function lockInline(session: Session, projections: readonly InlineProjection[]): InlineChoice {
  const rows = session.ask('lock-projections', [JSON.stringify(projections.map(({ name }) => name))]);
  return chooseInline(projections, rows);
}

/**
 * Writes the rows of what was appended, and marks the events. Leaves out projections for which earlier events wait.
 * @throws E_HANDLER when a projection cannot process the events
 */
export function applyInline(
  session: Session,
  projections: readonly InlineProjection[],
  { streamId, events, version }: AppendResult,
): void {
  const first = version - events.length + 1;
  const ready = projections.filter(({ name, filter: { types } }) => {
    const parameters = [name, streamId, first, types === undefined ? null : JSON.stringify(types)];
    return session.ask('inline-stream', parameters)[0]?.[0] === 1;
  });
  if (ready.length === 0) return;
  // As every reader gets them: the time is the database's.
  const parameters = [streamId, first, version, events.length];
  const recorded = readEvents(session, { text: session.sql('read-stream'), parameters });
  for (const projection of ready) {
    const wanted = selectWanted(projection, recorded);
    try {
      applyChanges(session, complete(session, projection.fold(wanted)));
    } catch (error) {
      throw refusedAppend(streamId, projection.name, error);
    }
    session.ask('mark-inlined', [projection.name, positionsOf(wanted)]);
  }
}

/**
 * Returns the changes of the events that no append has applied, and deletes the marks of the others.
 * @param rebuild 0 for the live tables
 */
export function resolveChanges(
  session: Session,
  rebuild: number,
  { projection, events, fold }: DeferredChanges,
): Changes {
  const rows = session.ask('unmark-inlined', [projection, rebuild, positionsOf(events)]);
  const marked = new Set(rows.map(([position]) => toInteger(position)));
  const unmarked = events.filter(({ globalPosition }) => !marked.has(globalPosition));
  if (unmarked.length === 0) return { kind: 'statements', statements: [] };
  return complete(session, fold(unmarked));
}

function positionsOf(events: readonly RecordedEvent[]): string {
  return JSON.stringify(events.map(({ globalPosition }) => globalPosition));
}

function complete(session: Session, fold: Fold): Changes {
  if (fold.kind === 'statements') return fold;
  return fold.complete(readRows(session, fold.table, fold.spec, fold.keys));
}
