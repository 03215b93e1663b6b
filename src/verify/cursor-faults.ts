/** Finds what is wrong with a checkpoint, or with the table of a rebuild. */
import type { Audit, Tally } from '../domain/audit.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Finding } from '../domain/finding.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import { count } from '../domain/words.js';
import type { Cursor } from '../store/store.js';

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
  return [{ ...found, severity: 'error', subject, next: remedy(cursor, facts) }];
}

/** Returns the first fault: a different history also explains what the audit would find. */
function findFault(
  { position, lastEventId, lastEventAt, audit }: Cursor,
  { head, tally, skipped }: CursorFacts,
): Pick<Finding, 'kind' | 'detail'> | undefined {
  if (position > head) {
    return { kind: 'beyond-head', detail: `is at position ${position}, but the log ends at ${head}` };
  }
  if (lastEventId !== null && lastEventAt === null) {
    const detail = `last saw event ${lastEventId}, which is not in the log: it saw a different history`;
    return { kind: 'diverged', detail };
  }
  if (lastEventId !== null && lastEventAt !== null && lastEventAt > position) {
    const detail = `is at position ${position}, but its last event ${lastEventId} is at ${lastEventAt}`;
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
  const range = `after position ${seen.after} up to ${position}`;
  if (seen.events < there.events) {
    const missed = there.events - seen.events;
    const which = skipped && `version ${skipped.version} of ${skipped.streamId} at position ${skipped.globalPosition}`;
    const lost = which ?? count(missed, 'event');
    const detail = `saw ${seen.events} of the ${there.events} events ${range}, and skipped ${lost}`;
    return { kind: 'skipped-events', detail };
  }
  if (seen.events > there.events) {
    const detail = `saw ${count(seen.events, 'event')} ${range}, but the log has ${there.events}`;
    return { kind: 'vanished-events', detail };
  }
  if (seen.idSum === there.idSum) return undefined;
  const detail = `saw ${count(seen.events, 'event')} ${range}, as many as the log has, but not the same ones`;
  return { kind: 'other-events', detail };
}

function remedy({ name, rebuild }: Cursor, { isProjection, isReplaced }: CursorFacts): string {
  if (rebuild !== null && isReplaced) return 'evstore gc --now';
  if (rebuild !== null) return `evstore rebuild ${shellWord(name)} --restart`;
  if (isProjection) return `evstore rebuild ${shellWord(partOf(name).projection)}`;
  return `evstore checkpoints set ${shellWord(name)} --to-head`;
}
