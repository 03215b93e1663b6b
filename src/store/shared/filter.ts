/** Writes an EventQuery as conditions with parameters, in place of the marker in a statement. */
import type { EventQuery } from '../../domain/event.js';
import { type JsonSpelling, writeCandidates } from './candidates.js';

export interface FilteredStatement<Parameter> {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

/** A member of the metadata that relates events to each other. */
export type IdKey = 'correlationId' | 'causationId';

/** How an engine spells the conditions. */
export interface FilterSpelling<Parameter> {
  /** `$` or `?`; the number follows. */
  readonly sign: string;
  /** Holds for events with this id in the metadata; of the expression that an index on ids is made of. */
  readonly hasId: (key: IdKey, id: string, place: (text: string) => string) => string;
  /** Takes a placeholder for one of `types`. */
  readonly ofTypes: (placeholder: string) => string;
  readonly types: (types: readonly string[]) => Parameter;
  readonly createdAt: string;
  /** Takes a placeholder for one of `time`. */
  readonly ofTime: (placeholder: string) => string;
  readonly time: (text: string) => Parameter;
  /** See candidates.ts; undefined where JSON is not looked into. */
  readonly json: JsonSpelling | undefined;
}

/** @param statement with the parameters it has already */
export function addFilter<Parameter>(
  spelling: FilterSpelling<Parameter | string>,
  statement: FilteredStatement<Parameter | string>,
  filter: EventQuery,
): FilteredStatement<Parameter | string> {
  const parameters = [...statement.parameters];
  const conditions: string[] = [];
  const place = (value: Parameter | string) => `${spelling.sign}${parameters.push(value)}`;
  const moment = (text: string) => spelling.ofTime(place(spelling.time(text)));
  if (filter.streamId !== undefined) conditions.push(`stream_id = ${place(filter.streamId)}`);
  const inCategory = (category: string) => {
    const [whole = '', from = '', to = ''] = categoryRange(category).map(place);
    return `(stream_id = ${whole} or (stream_id >= ${from} and stream_id < ${to}))`;
  };
  if (filter.category !== undefined) conditions.push(inCategory(filter.category));
  if (filter.categories !== undefined) {
    conditions.push(`(${filter.categories.map(inCategory).join(' or ') || 'false'})`);
  }
  const [type, ...others] = filter.types ?? [];
  // The index has the events of one type in the order of the log.
  if (type !== undefined && others.length === 0) conditions.push(`event_type = ${place(type)}`);
  else if (filter.types !== undefined) {
    conditions.push(`event_type ${spelling.ofTypes(place(spelling.types(filter.types)))}`);
  }
  if (filter.since !== undefined) conditions.push(`${spelling.createdAt} >= ${moment(filter.since)}`);
  if (filter.until !== undefined) conditions.push(`${spelling.createdAt} < ${moment(filter.until)}`);
  for (const key of ['correlationId', 'causationId'] as const) {
    const id = filter[key];
    if (id !== undefined) conditions.push(spelling.hasId(key, id, place));
  }
  const candidates = filter.where && writeCandidates(filter.where, { ...spelling, place, moment });
  if (candidates !== undefined) conditions.push(`(${candidates})`);
  const text = conditions.map((condition) => `and ${condition}`).join(' ');
  return { text: statement.text.replace('/* filter */', () => text), parameters };
}

/**
 * Returns the stream that is named like the category, and the bounds between which the others are. A range instead of a
 * pattern uses the index and has no wildcards. '.' follows '-' in the order of bytes, which both engines sort by.
 */
export function categoryRange(category: string): readonly [whole: string, from: string, to: string] {
  return [category, `${category}-`, `${category}.`];
}

/** Completes the order of a statement that reads events. */
export function inOrder(text: string, backwards: boolean): string {
  return backwards ? text.replace('/* desc */', 'desc') : text;
}
