/** Filters events in statements. */
import type { EventQuery } from '../../../domain/event.js';
import { lowerAscii } from '../../../domain/relation.js';
import { isUuid } from '../../../domain/uuid.js';
import type { Place } from '../../../domain/where/condition.js';
import * as shared from '../../shared/filter.js';
import type { Parameter } from './values.js';

/**
 * Another program may have written escapes into the metadata that Postgres stores but cannot decode: U+0000, halves of
 * surrogate pairs. One such event must not prevent reading the others, so they are replaced. Escaped backslashes are
 * replaced first, so that every backslash left begins an escape. As in inspect-slice.sql, but with the same meaning
 * whatever `standard_conforming_strings` is. Every name is qualified, because an index is made of this without the
 * settings of a transaction.
 */
const metadata = String.raw`(case when pg_catalog.strpos(metadata::pg_catalog.text, E'\\u') operator(pg_catalog.=) 0 then metadata
  else pg_catalog.regexp_replace(pg_catalog.replace(metadata::pg_catalog.text, E'\\\\', E'\\u005c'),
    E'\\\\u0000|\\\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\\\u[dD][c-fC-F])|(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F][0-9a-fA-F]{2}',
    E'\\\\ufffd', 'g')::pg_catalog.json end)`;

/** An entry of an index has at most 2,704 bytes, and a character four: a longer id must not prevent an append. */
const indexedLength = 200;

/** What the indexes on ids hold: the beginning of the id, in lower case, because UUIDs compare in either case. */
export function indexedId(key: shared.IdKey): string {
  const id = `${metadata} operator(pg_catalog.->>) '${key}'`;
  return `(pg_catalog.left(pg_catalog.lower((${id}) collate pg_catalog."C"), ${indexedLength}) collate pg_catalog."C")`;
}

const hasId: shared.FilterSpelling<Parameter>['hasId'] = (key, id, place) => {
  const beginning = [...lowerAscii(id)].slice(0, indexedLength).join('');
  const inEitherCase = `${indexedId(key)} = ${place(beginning)}`;
  return isUuid(id) ? inEitherCase : `${inEitherCase} and ${metadata} ->> '${key}' = ${place(id)}`;
};

const spelling: shared.FilterSpelling<Parameter> = {
  sign: '$',
  hasId,
  ofTypes: (placeholder) => `= any(${placeholder}::text[])`,
  types: (types) => types,
  createdAt: 'created_at',
  ofTime: (placeholder) => `${placeholder}::timestamptz`,
  time: (text) => text,
  json: {
    equals: (place, text, parameter) => {
      return unlessEscaped(place, (path) => `${path('#>>')} = ${parameter(text)}`, parameter);
    },
    compares: (place, operator, text, parameter) => {
      const compared = (path: Path) => `case when ${path('#>>')} ~ '^-?[0-9]{1,18}([.][0-9]{1,18})?$'
        then (${path('#>>')})::numeric ${operator} ${text} else json_typeof(${path('#>')}) = 'number' end`;
      return unlessEscaped(place, compared, parameter);
    },
  },
};

type Path = (operator: '#>' | '#>>') => string;

/** Where a text has escapes that Postgres may not be able to decode, the event is a candidate. */
function unlessEscaped(
  { root, path }: Place,
  condition: (path: Path) => string,
  parameter: (value: string) => string,
): string {
  const column = root === 'data' ? 'event_data' : 'metadata';
  const steps = path.map((step) => `${parameter(String(step))}::text`).join(', ');
  const at: Path = (operator) => `${column} ${operator} array[${steps}]::text[]`;
  return String.raw`case when strpos(${column}::text, E'\\u') > 0 then true else ${condition(at)} end`;
}

export type FilteredStatement = shared.FilteredStatement<Parameter>;

export function addFilter(statement: FilteredStatement, filter: EventQuery): FilteredStatement {
  return shared.addFilter(spelling, statement, filter);
}
