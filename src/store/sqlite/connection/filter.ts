/** EventFilter → conditions and their parameters, to be put where a statement says so. */
import type { EventFilter } from '../../../domain/event.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
import type { Parameter } from './database.js';

/** The time of an event in the spelling this store writes, whoever wrote the row: the expression of events_created_at_idx. */
const storedTime = `case
  when created_at glob '??????????T????????.??????Z' then created_at
  else strftime('%Y-%m-%dT%H:%M:%S', substr(created_at, 1, 19)
         || iif(created_at glob '*[-+][0-9][0-9]:[0-9][0-9]', substr(created_at, -6), ''))
    || '.' || substr(iif(created_at glob '*:[0-9][0-9].[0-9]*', substr(created_at, 21, length(created_at) - 20
         - iif(created_at glob '*[-+][0-9][0-9]:[0-9][0-9]', 6, 0) - iif(created_at glob '*[Zz]', 1, 0)), '')
         || '000000', 1, 6) || 'Z'
end`;

export interface FilteredStatement {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

/** @param statement with the parameters it has already, and the marker for the conditions */
export function addFilter(statement: FilteredStatement, filter: EventFilter): FilteredStatement {
  const parameters = [...statement.parameters];
  const conditions: string[] = [];
  const placeholder = (value: Parameter): string => `?${parameters.push(value)}`;
  if (filter.streamId !== undefined) conditions.push(`stream_id = ${placeholder(filter.streamId)}`);
  if (filter.category !== undefined) {
    // A range, not a pattern: it uses the index, and nothing in a name is a wildcard. '.' follows '-' in UTF-8.
    const [whole, from, to] = [filter.category, `${filter.category}-`, `${filter.category}.`].map(placeholder);
    conditions.push(`(stream_id = ${whole} or (stream_id >= ${from} and stream_id < ${to}))`);
  }
  if (filter.types !== undefined) {
    conditions.push(`event_type in (select value from json_each(${placeholder(JSON.stringify(filter.types))}))`);
  }
  if (filter.since !== undefined) conditions.push(`${storedTime} >= ${placeholder(storedTimestamp(filter.since))}`);
  if (filter.until !== undefined) conditions.push(`${storedTime} < ${placeholder(storedTimestamp(filter.until))}`);
  if (filter.correlationId !== undefined) {
    conditions.push(`cast(metadata ->> '$.correlationId' as text) = ${placeholder(filter.correlationId)}`);
  }
  const text = conditions.map((condition) => `and ${condition}`).join(' ');
  return { text: statement.text.replace('/* filter */', () => text), parameters };
}
