/** EventFilter → conditions and their parameters, to be put where a statement says so. */
import type { EventFilter } from '../../../domain/event.js';
import type { Parameter } from './database.js';

/**
 * Another program may have written escapes into the metadata that Postgres keeps and cannot take apart: U+0000, halves of
 * surrogate pairs. One such event must not keep all the others from being read. An escaped backslash is spelt otherwise
 * first, so that after it every backslash begins an escape. As in inspect-slice.sql, but spelt so that it means the same
 * whatever `standard_conforming_strings` is.
 */
const correlationId = String.raw`(case when strpos(metadata::text, E'\\u') = 0 then metadata
  else regexp_replace(replace(metadata::text, E'\\\\', E'\\u005c'),
    E'\\\\u0000|\\\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\\\u[dD][c-fC-F])|(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F][0-9a-fA-F]{2}',
    E'\\\\ufffd', 'g')::json end) ->> 'correlationId'`;

export interface FilteredStatement {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

/** @param statement with the parameters it has already, and the marker for the conditions */
export function addFilter(statement: FilteredStatement, filter: EventFilter): FilteredStatement {
  const parameters = [...statement.parameters];
  const conditions: string[] = [];
  const placeholder = (value: Parameter): string => `$${parameters.push(value)}`;
  if (filter.streamId !== undefined) conditions.push(`stream_id = ${placeholder(filter.streamId)}`);
  if (filter.category !== undefined) {
    // A range, not a pattern: it uses the index, and nothing in a name is a wildcard. '.' follows '-' in collation "C".
    const [whole, from, to] = [filter.category, `${filter.category}-`, `${filter.category}.`].map(placeholder);
    conditions.push(`(stream_id = ${whole} or (stream_id >= ${from} and stream_id < ${to}))`);
  }
  if (filter.types !== undefined) conditions.push(`event_type = any(${placeholder(filter.types)}::text[])`);
  if (filter.since !== undefined) conditions.push(`created_at >= ${placeholder(filter.since)}::timestamptz`);
  if (filter.until !== undefined) conditions.push(`created_at < ${placeholder(filter.until)}::timestamptz`);
  if (filter.correlationId !== undefined) {
    conditions.push(`${correlationId} = ${placeholder(filter.correlationId)}`);
  }
  const text = conditions.map((condition) => `and ${condition}`).join(' ');
  return { text: statement.text.replace('/* filter */', () => text), parameters };
}
