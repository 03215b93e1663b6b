/** Checkpoints, and tables of rebuilds, that do not belong to this log. `verify` also gives the events they should have seen. */

import type { Audit, Tally } from '../domain/audit.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Finding } from '../domain/finding.js';
import { groupDigits } from '../domain/numbers.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import { count } from '../domain/words.js';
import type { Cursor, ProjectionRecord } from '../store/store.js';
import { defineCheck } from './check.js';

export const cursorsCheck = defineCheck({
  name: 'history',
  purpose: 'every checkpoint belongs to the history in this log',
  needs: ['cursors', 'records', 'rebuilds', 'head'],
  judge: ({ cursors, records, rebuilds, head }) => {
    const names = new Set(records.filter(hasRows).map(({ name }) => name));
    return cursors.flatMap((cursor) => {
      const isProjection = names.has(partOf(cursor.name).projection);
      const isReplaced = rebuilds.some(({ id, state }) => id === cursor.rebuild && state === 'swapped');
      const facts = { head: head.head, isProjection, isReplaced, tally: undefined, skipped: undefined };
      return findCursorFaults(cursor, facts);
    });
  },
});

/** Sagas are registered too, but have no rows. */
export function hasRows({ tables, target }: ProjectionRecord): boolean {
  return tables.length > 0 || target !== null;
}

export interface CursorFacts {
  /** Last position of the log. */
  readonly head: number;
  readonly isProjection: boolean;
  /** The tables were replaced by a swap: nothing reads them. */
  readonly isReplaced: boolean;
  /** The events it should have seen; undefined when that is unknown. */
  readonly tally: Tally | undefined;
  /** The skipped event, when exactly one was skipped. */
  readonly skipped: RecordedEvent | undefined;
}

export function findCursorFaults(cursor: Cursor, facts: CursorFacts): readonly Finding[] {
  const found = findFault(cursor, facts);
  if (found === undefined) return [];
  const { name, rebuild } = cursor;
  const subject = rebuild === null ? name : `rebuild ${rebuild} of ${name}`;
  return [{ ...found, severity: 'error', subject, next: remedy(cursor, found.kind, facts) }];
}

/** Returns the first fault: a different history also explains what the audit would find. */
function findFault(
  { position, lastEventId, lastEventAt, audit }: Cursor,
  { head, tally, skipped }: CursorFacts,
): Pick<Finding, 'kind' | 'detail'> | undefined {
  if (position > head) {
    return {
      kind: 'beyond-head',
      detail: `is at position ${groupDigits(position)}, but the log ends at ${groupDigits(head)}`,
    };
  }
  if (lastEventId !== null && lastEventAt === null) {
    const detail = `last saw event ${lastEventId}, which is not in the log: it saw a different history`;
    return { kind: 'diverged', detail };
  }
  if (lastEventId !== null && lastEventAt !== null && lastEventAt > position) {
    const detail = `is at position ${groupDigits(position)}, but its last event ${lastEventId} is at ${groupDigits(lastEventAt)}`;
    return { kind: 'diverged', detail };
  }
  return audit === null || tally === undefined ? undefined : compareTallies(audit, tally, position, skipped);
}

function compareTallies(
  seen: Audit,
  there: Tally,
  position: number,
  skipped: RecordedEvent | undefined,
): Pick<Finding, 'kind' | 'detail'> | undefined {
  const range = `after position ${groupDigits(seen.after)} up to ${groupDigits(position)}`;
  if (seen.events < there.events) {
    const missed = there.events - seen.events;
    const which =
      skipped && `version ${skipped.version} of ${skipped.streamId} at position ${groupDigits(skipped.globalPosition)}`;
    const lost = which ?? count(missed, 'event');
    const detail = `saw ${groupDigits(seen.events)} of the ${groupDigits(there.events)} events ${range}, and skipped ${lost}`;
    return { kind: 'skipped-events', detail };
  }
  if (seen.events > there.events) {
    const detail = `saw ${count(seen.events, 'event')} ${range}, but the log has ${groupDigits(there.events)}`;
    return { kind: 'vanished-events', detail };
  }
  if (seen.idSum === there.idSum) return undefined;
  const detail = `saw ${count(seen.events, 'event')} ${range}, as many as the log has, but not the same ones`;
  return { kind: 'other-events', detail };
}

function remedy({ name, rebuild }: Cursor, kind: string, { isProjection, isReplaced }: CursorFacts): string {
  if (rebuild !== null && isReplaced) return 'evstore gc --now';
  if (rebuild !== null) return `evstore rebuild ${shellWord(name)} --restart`;
  if (isProjection) {
    const rebuilt = `evstore rebuild ${shellWord(partOf(name).projection)}`;
    // A rebuild refuses to swap while the checkpoint belongs to another history.
    const isOtherHistory = kind === 'beyond-head' || kind === 'diverged';
    return isOtherHistory ? `evstore checkpoints reset ${shellWord(name)} --execute && ${rebuilt}` : rebuilt;
  }
  return `evstore checkpoints set ${shellWord(name)} --to-head --execute`;
}
