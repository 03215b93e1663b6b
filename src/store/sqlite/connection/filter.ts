/** Filters events in statements. */
import type { EventQuery } from '../../../domain/event.js';
import { lowerAscii } from '../../../domain/relation.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
import { isUuid } from '../../../domain/uuid.js';
import * as shared from '../../shared/filter.js';
import type { Parameter } from './values.js';

/** The time of an event in the spelling this store writes, whichever program wrote the row: the expression of events_created_at_idx. */
const storedTime = `case
  when created_at glob '??????????T????????.?????[0-9]Z' then created_at
  else strftime('%Y-%m-%dT%H:%M:%S', substr(created_at, 1, 19) || case
         when created_at glob '*[-+][0-9][0-9]:[0-9][0-9]' then substr(created_at, -6)
         when created_at glob '*[-+][0-9][0-9][0-9][0-9]' then substr(created_at, -5, 3) || ':' || substr(created_at, -2)
         when created_at glob '*:*[-+][0-9][0-9]' then substr(created_at, -3) || ':00'
         else ''
       end)
    || '.' || substr(iif(created_at glob '*:[0-9][0-9].[0-9]*', substr(created_at, 21,
         length(created_at) - 20 - length(ltrim(substr(created_at, 21), '0123456789'))), '')
         || '000000', 1, 6) || 'Z'
end`;

/**
 * Of two equal keys, `->>` of SQLite takes the first. evstore and Postgres take the last, and so does a patch, which
 * applies one after the other.
 */
function idOf(key: shared.IdKey): string {
  return `cast(json_patch('{}', metadata) ->> '$.${key}' as text)`;
}

/** What the indexes on ids hold: the id in lower case, because UUIDs compare in either case. */
export function indexedId(key: shared.IdKey): string {
  return `lower(${idOf(key)})`;
}

const spelling: shared.FilterSpelling<Parameter> = {
  sign: '?',
  hasId: (key, id, place) => {
    const inEitherCase = `${indexedId(key)} = ${place(lowerAscii(id))}`;
    return isUuid(id) ? inEitherCase : `${inEitherCase} and ${idOf(key)} = ${place(id)}`;
  },
  ofTypes: (placeholder) => `in (select value from json_each(${placeholder}))`,
  types: JSON.stringify,
  createdAt: storedTime,
  ofTime: (placeholder) => placeholder,
  time: storedTimestamp,
  // In one process, asking SQLite to parse a text costs as much as parsing it here.
  json: undefined,
};

export type FilteredStatement = shared.FilteredStatement<Parameter>;

export function addFilter(statement: FilteredStatement, filter: EventQuery): FilteredStatement {
  return shared.addFilter(spelling, statement, filter);
}
