/** EventFilter → conditions and their parameters, to be put where a statement says so. */
import type { EventFilter } from '../../domain/event.js';
import { storedTimestamp } from '../../domain/timestamp.js';
import type { Parameter } from './database.js';

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
  if (filter.since !== undefined) conditions.push(`created_at >= ${placeholder(storedTimestamp(filter.since))}`);
  if (filter.until !== undefined) conditions.push(`created_at < ${placeholder(storedTimestamp(filter.until))}`);
  if (filter.correlationId !== undefined) {
    conditions.push(`cast(metadata ->> '$.correlationId' as text) = ${placeholder(filter.correlationId)}`);
  }
  const text = conditions.map((condition) => `and ${condition}`).join(' ');
  return { text: statement.text.replace('/* filter */', () => text), parameters };
}
