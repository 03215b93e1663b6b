/**
 * Writes a condition of SQL that every row for which a condition holds satisfies, as candidates.ts does for events. What
 * an engine could decide in another way is left out, and so is every `not`: a row has values of null, and on SQLite of
 * other types than its column.
 */
import type { Condition, Literal, Operator, Place } from '../../domain/where/condition.js';
import type { TableColumn } from '../table-reader.js';

export interface RowSpelling {
  readonly column: (name: string) => string;
  /** Adds a parameter, and returns its placeholder. */
  readonly place: (value: string) => string;
  /** Kinds of columns whose values compare with numbers as decimals do. */
  readonly numbers: readonly TableColumn['kind'][];
  /** Compares a column of times; undefined where times are texts in any spelling. */
  readonly moment?: (column: string, operator: Operator, text: string) => string;
}

/** Returns undefined when every row is a candidate. */
export function writeRowCandidates(
  condition: Condition,
  columns: readonly TableColumn[],
  spelling: RowSpelling,
): string | undefined {
  return prepare(condition, columns, spelling)?.();
}

/** Writes later, so that a term that is left out adds no parameter. */
type Writer = () => string;

function prepare(condition: Condition, columns: readonly TableColumn[], spelling: RowSpelling): Writer | undefined {
  switch (condition.kind) {
    case 'and': {
      const terms = condition.terms
        .map((term) => prepare(term, columns, spelling))
        .filter((term) => term !== undefined);
      return terms.length === 0 ? undefined : join(terms, 'and');
    }
    case 'or': {
      const terms = condition.terms.map((term) => prepare(term, columns, spelling));
      return terms.every((term) => term !== undefined) ? join(terms, 'or') : undefined;
    }
    case 'compare':
      return prepareCompared(condition.place, condition.operator, condition.value, columns, spelling);
    case 'in': {
      const { place, values } = condition;
      const terms = values.map((value) => ({ kind: 'compare', place, operator: '=', value }) as const);
      return prepare({ kind: 'or', terms }, columns, spelling);
    }
    default:
      return undefined;
  }
}

function join(terms: readonly Writer[], word: 'and' | 'or'): Writer {
  return () => terms.map((term) => `(${term()})`).join(` ${word} `);
}

function prepareCompared(
  { root, path }: Place,
  operator: Operator,
  value: Literal,
  columns: readonly TableColumn[],
  { column, place, numbers, moment }: RowSpelling,
): Writer | undefined {
  const found = columns.find(({ name }) => name === root);
  if (found === undefined || path.length > 0 || found.kind === 'json') return undefined;
  const name = column(root);
  if (value.type === 'null') return () => `${name} is null`;
  if (value.type === 'number') {
    // With more digits, a literal may be a number of another type.
    const isShort = numbers.includes(found.kind) && /^-?\d{1,15}$/.test(value.text);
    return isShort ? () => `${name} ${operator} ${value.text}` : undefined;
  }
  if (value.type !== 'string') return undefined;
  if (found.kind === 'timestamp') return moment && (() => moment(name, operator, value.text));
  const isPlain = /^[\x20-\x7e]*$/.test(value.text);
  return found.kind === 'text' && operator === '=' && isPlain ? () => `${name} = ${place(value.text)}` : undefined;
}
