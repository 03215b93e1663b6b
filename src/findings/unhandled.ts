/** Types of events that no projection handles. */
import type { AuditFilter } from '../domain/audit.js';
import type { Finding } from '../domain/finding.js';
import { partOf } from '../domain/parts.js';
import { isProjectionId } from '../domain/subscription-names.js';
import { count } from '../domain/words.js';
import { sagaEventTypes } from '../saga/events.js';
import { gapEventTypes } from '../saga/gaps.js';
import type { Checkpoint, Cursor, ProjectionRecord } from '../store/store.js';
import { defineCheck } from './check.js';
import { hasRows } from './cursors.js';

/** More are counted. */
const mostNamed = 5;

export const unhandledCheck = defineCheck({
  name: 'event types',
  purpose: 'every type of events in the log is handled',
  needs: ['types', 'cursors', 'records', 'checkpoints'],
  judge: ({ types, cursors, records, checkpoints }) => judgeTypes(types, cursors, records, checkpoints),
});

/** Judges by the filters under which events were delivered. A store without projections has nothing to handle them. */
function judgeTypes(
  types: readonly string[],
  cursors: readonly Cursor[],
  records: readonly ProjectionRecord[],
  checkpoints: readonly Checkpoint[],
): readonly Finding[] {
  const names = records.filter(hasRows).map(({ name }) => name);
  if (names.length === 0) return [];
  const audited = cursors.filter(({ rebuild }) => rebuild === null);
  const filterOf = (name: string) => audited.find((cursor) => partOf(cursor.name).projection === name)?.audit?.filter;
  const known = names.map(filterOf);
  if (known.every((filter) => filter === undefined)) return [];
  if (known.some((filter) => filter !== undefined && filter.types === undefined)) return [];
  // A saga, a reaction or a subscription that names its types handles them, too.
  const acting = audited.filter(({ name, audit }) => !isProjectionId(name) && audit?.filter.types !== undefined);
  const filters = [...known, ...acting.map(({ audit }) => audit?.filter)];
  const isHandled = (type: string) => filters.some((filter: AuditFilter | undefined) => filter?.types?.includes(type));
  const own = [...sagaEventTypes, ...gapEventTypes];
  const unhandled = types.filter((type) => !own.includes(type) && !isHandled(type));
  if (unhandled.length === 0) return [];
  const unknown = names.filter((name) => filterOf(name) === undefined);
  const others = checkpoints
    .map(({ subscriptionId }) => partOf(subscriptionId).projection)
    .filter((name) => !names.includes(name) && !acting.some((cursor) => cursor.name === name));
  const unseen = [...new Set([...unknown, ...others])];
  const rest = unhandled.length - mostNamed;
  const list = [...unhandled.slice(0, mostNamed), ...(rest > 0 ? [count(rest, 'more')] : [])].join(', ');
  return [
    {
      kind: 'unhandled-types',
      severity: 'note',
      subject: 'projections',
      detail: `handle no event of ${count(unhandled.length, 'type')} of ${types.length}: ${list}`,
      ...(unseen.length > 0 && {
        evidence: `other subscriptions may handle them, which is not known here: ${unseen.join(', ')}`,
      }),
      next: null,
    },
  ];
}
