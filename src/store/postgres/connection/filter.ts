/** Filters events in statements. */
import type { EventFilter } from '../../../domain/event.js';
import * as shared from '../../shared/filter.js';
import type { Parameter } from './values.js';

/**
 * Another program may have written escapes into the metadata that Postgres stores but cannot decode: U+0000, halves of
 * surrogate pairs. One such event must not prevent reading the others, so they are replaced. Escaped backslashes are
 * replaced first, so that every backslash left begins an escape. As in inspect-slice.sql, but with the same meaning
 * whatever `standard_conforming_strings` is.
 */
const correlationId = String.raw`(case when strpos(metadata::text, E'\\u') = 0 then metadata
  else regexp_replace(replace(metadata::text, E'\\\\', E'\\u005c'),
    E'\\\\u0000|\\\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\\\u[dD][c-fC-F])|(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F][0-9a-fA-F]{2}',
    E'\\\\ufffd', 'g')::json end) ->> 'correlationId'`;

const spelling: shared.FilterSpelling<Parameter> = {
  sign: '$',
  correlationId,
  ofTypes: (placeholder) => `= any(${placeholder}::text[])`,
  types: (types) => types,
  createdAt: 'created_at',
  ofTime: (placeholder) => `${placeholder}::timestamptz`,
  time: (text) => text,
};

export type FilteredStatement = shared.FilteredStatement<Parameter>;

export function addFilter(statement: FilteredStatement, filter: EventFilter): FilteredStatement {
  return shared.addFilter(spelling, statement, filter);
}
