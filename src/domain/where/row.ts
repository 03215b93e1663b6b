/** Conditions over rows of a read model: what they may name, and which values can be compared with a column. */

import { compareDecimals } from '../decimal.js';
import { EvstoreError } from '../errors.js';
import type { ColumnType, StoredRow, StoredValue } from '../read-model.js';
import { storedTimestamp } from '../timestamp.js';
import type { Condition, Found, Literal, Place } from './condition.js';
import { compareTexts, holds } from './evaluate.js';
import { type Lookup, lookupIn } from './json-place.js';
import { parseCondition } from './parse.js';

export interface RowColumn {
  readonly name: string;
  readonly kind: ColumnType | 'other' | 'any';
}

/**
 * @throws E_USAGE that marks the place of a mistake, and for a comparison that no value of the column can satisfy: it
 *   would select nothing without a word
 * @param hint why a column may be of another type than one thinks
 */
export function parseRowCondition(text: string, columns: readonly RowColumn[], now: Date, hint?: string): Condition {
  const names = (isWanted: (column: RowColumn) => boolean) => columns.filter(isWanted).map(({ name }) => name);
  const roots = {
    json: names(({ kind }) => kind === 'json'),
    plain: names(({ kind }) => kind !== 'json'),
    times: names(({ kind }) => kind === 'timestamp'),
    uuids: names(({ kind }) => kind === 'uuid'),
  };
  const condition = parseCondition(text, roots, now);
  assertComparable(condition, columns, hint);
  return condition;
}

/** Returns a function that decides whether the condition holds for a row. */
export function createRowTest(condition: Condition, columns: readonly RowColumn[]): (row: StoredRow) => boolean {
  const kinds = new Map(columns.map(({ name, kind }) => [name, kind]));
  return (row) => {
    const lookups = new Map<string, Lookup>();
    return holds(condition, ({ root, path }) => {
      const value = row[root] ?? null;
      const kind = kinds.get(root) ?? 'other';
      if (kind !== 'json' || typeof value !== 'string') return path.length > 0 ? undefined : toFound(kind, value);
      const lookup = lookups.get(root) ?? lookupIn(value);
      lookups.set(root, lookup);
      return findInJson(lookup, path, value);
    });
  };
}

/**
 * Orders values as conditions compare them; null comes last, and values of other types after those of the column.
 * @returns less than, equal to or more than 0
 */
export function compareValues(kind: RowColumn['kind'], one: StoredValue, other: StoredValue): number {
  const [a, b] = [toFound(kind, one), toFound(kind, other)];
  if (a?.type === 'number' && b?.type === 'number') return compareDecimals(a.text, b.text);
  if (a?.type === 'string' && b?.type === 'string') return compareTexts(a.text, b.text);
  if (a?.type === 'boolean' && b?.type === 'boolean') return Number(a.value) - Number(b.value);
  return rankOf(a) - rankOf(b);
}

const ranks = ['number', 'boolean', 'string', 'container', 'null'];

function rankOf(found: Found): number {
  return found === undefined ? ranks.length : ranks.indexOf(found.type);
}

function toFound(kind: RowColumn['kind'], value: StoredValue): Found {
  if (value === null) return { type: 'null' };
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'number') return { type: 'number', text: String(value) };
  if (isNumeric(kind) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return { type: 'number', text: value };
  // On SQLite whole numbers beyond 2^53-1 come as text, whatever the column is.
  if (kind === 'any' && /^-?\d{16,19}$/.test(value) && !Number.isSafeInteger(Number(value))) {
    return { type: 'number', text: value };
  }
  return { type: 'string', text: kind === 'timestamp' ? spellTime(value) : value };
}

/** On SQLite nothing checks what is in a column of JSON. */
function findInJson(lookup: Lookup, path: Parameters<Lookup>[0], text: string): Found {
  try {
    return lookup(path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return path.length > 0 ? undefined : { type: 'string', text };
  }
}

/** A time without an RFC 3339 spelling, such as `infinity`, stays as it is. */
function spellTime(value: string): string {
  try {
    return storedTimestamp(value);
  } catch (error) {
    if (error instanceof RangeError) return value;
    throw error;
  }
}

function isNumeric(kind: RowColumn['kind']): boolean {
  return kind === 'integer' || kind === 'bigint' || kind === 'real' || kind === 'numeric';
}

function assertComparable(condition: Condition, columns: readonly RowColumn[], hint: string | undefined): void {
  const assertAll = (literals: readonly Literal[], { root }: Place) => {
    const column = columns.find(({ name }) => name === root);
    for (const literal of literals) if (column !== undefined) assertLiteral(column, literal, hint);
  };
  if (condition.kind === 'and' || condition.kind === 'or') {
    for (const term of condition.terms) assertComparable(term, columns, hint);
  } else if (condition.kind === 'not') assertComparable(condition.term, columns, hint);
  else if (condition.kind === 'compare') assertAll([condition.value], condition.place);
  else if (condition.kind === 'in') assertAll(condition.values, condition.place);
  else if (condition.kind === 'like') assertAll([{ type: 'string', text: condition.pattern }], condition.place);
}

function assertLiteral({ name, kind }: RowColumn, literal: Literal, hint: string | undefined): void {
  if (kind === 'json' || kind === 'any' || literal.type === 'null') return;
  const wanted = isNumeric(kind) ? 'number' : kind === 'boolean' ? 'boolean' : 'string';
  if (literal.type === wanted) return;
  const spelled = literal.type === 'boolean' ? String(literal.value) : literal.text;
  const example = { number: `${name} > 10`, boolean: `${name} = true`, string: `${name} = '${spelled}'` }[wanted];
  const words = { number: 'a number', boolean: 'a boolean', string: 'a text' };
  throw new EvstoreError('E_USAGE', `${name} is ${words[wanted]}, and is compared with ${words[literal.type]}`, {
    why: [`No row would match. Write for example: ${example}.`, ...(hint === undefined ? [] : [hint])].join(' '),
    details: { column: name, is: wanted, comparedWith: literal.type },
  });
}
