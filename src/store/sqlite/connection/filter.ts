/** Filters events in statements. */
import type { EventQuery } from '../../../domain/event.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
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

/** What the indexes on ids hold. */
export function indexedId(key: shared.IdKey): string {
  return `cast(metadata ->> '$.${key}' as text)`;
}

const spelling: shared.FilterSpelling<Parameter> = {
  sign: '?',
  hasId: (key, id, place) => `${indexedId(key)} = ${place(id)}`,
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
