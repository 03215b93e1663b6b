/**
 * Writes a condition of SQL that every event for which a condition holds satisfies, and that leaves out many others. What
 * an engine could decide in another way, such as the order of texts, is left out: the condition is applied to the
 * candidates afterwards (see matching.ts).
 */
import type { Condition, Literal, Operator, Place } from '../../domain/where/condition.js';

/** How an engine looks into JSON. */
export interface JsonSpelling {
  /** Returns what holds when the value at the place has this text, which is ASCII. */
  readonly equals: (place: Place, text: string, parameter: (value: string) => string) => string;
  /** Returns what holds when a number of few digits compares like that. */
  readonly compares: (place: Place, operator: Operator, text: string, parameter: (value: string) => string) => string;
}

export interface CandidateSpelling {
  /** Adds a parameter, and returns its placeholder. */
  readonly place: (value: string) => string;
  /** The same for a time. */
  readonly moment: (text: string) => string;
  readonly createdAt: string;
  readonly json: JsonSpelling | undefined;
}

/** Columns of texts that are sorted by bytes, and of whole numbers. */
const texts: Readonly<Record<string, string>> = { type: 'event_type', stream: 'stream_id', streamId: 'stream_id' };
const numbers: Readonly<Record<string, string>> = {
  version: 'version',
  position: 'global_position',
  globalPosition: 'global_position',
};

/** Returns undefined when every event is a candidate. */
export function writeCandidates(condition: Condition, spelling: CandidateSpelling): string | undefined {
  return narrow(condition, spelling)?.();
}

/** Writes a condition, and adds its parameters: so nothing is added for what is left out in the end. */
type Writer = () => string;

/** Returns undefined when every event is a candidate. */
function narrow(condition: Condition, spelling: CandidateSpelling): Writer | undefined {
  switch (condition.kind) {
    case 'and':
      return join(' and ', condition.terms.map((term) => narrow(term, spelling)).filter(isDefined));
    case 'or': {
      const terms = condition.terms.map((term) => narrow(term, spelling));
      return terms.every(isDefined) ? join(' or ', terms) : undefined;
    }
    case 'not':
      return narrowRejected(condition.term, spelling);
    case 'compare':
      return narrowCompared(condition.place, condition.operator, condition.value, spelling);
    case 'in': {
      const { place, values } = condition;
      const terms = values.map((value): Condition => ({ kind: 'compare', place, operator: '=', value }));
      return narrow({ kind: 'or', terms }, spelling);
    }
    case 'like':
    case 'exists':
      return undefined;
  }
}

/** The opposite of a condition, where that can be told exactly. */
function narrowRejected(condition: Condition, spelling: CandidateSpelling): Writer | undefined {
  const negated = (term: Condition): Condition => ({ kind: 'not', term });
  if (condition.kind === 'not') return narrow(condition.term, spelling);
  if (condition.kind === 'and' || condition.kind === 'or') {
    const kind = condition.kind === 'and' ? 'or' : 'and';
    return narrow({ kind, terms: condition.terms.map(negated) }, spelling);
  }
  const isExact = condition.kind === 'compare' && columnOf(condition.place, condition.value) !== undefined;
  const same = isExact ? narrow(condition, spelling) : undefined;
  return same === undefined ? undefined : () => `not (${same()})`;
}

function narrowCompared(
  place: Place,
  operator: Operator,
  value: Literal,
  spelling: CandidateSpelling,
): Writer | undefined {
  const { json } = spelling;
  if (place.root === 'createdAt') {
    return value.type === 'string'
      ? () => `${spelling.createdAt} ${operator} ${spelling.moment(value.text)}`
      : undefined;
  }
  const column = columnOf(place, value);
  if (column !== undefined && value.type === 'number') return () => `${column} ${operator} ${value.text}`;
  if (column !== undefined && value.type === 'string') {
    return () => `${column} ${operator} ${spelling.place(value.text)}`;
  }
  if (column !== undefined || json === undefined || !isJson(place)) return undefined;
  if (value.type === 'number' && isShort(value.text)) {
    return () => json.compares(place, operator, value.text, spelling.place);
  }
  const text = operator === '=' ? plainText(value) : undefined;
  return text === undefined ? undefined : () => json.equals(place, text, spelling.place);
}

function join(word: string, terms: readonly Writer[]): Writer | undefined {
  return terms.length === 0 ? undefined : () => terms.map((term) => `(${term()})`).join(word);
}

/** Returns the column that compares with the value as the condition does; undefined when there is none. */
function columnOf({ root, path }: Place, value: Literal): string | undefined {
  if (path.length > 0) return undefined;
  if (value.type === 'string') return isPlain(value.text) ? texts[root] : undefined;
  return value.type === 'number' && /^-?\d{1,15}$/.test(value.text) ? numbers[root] : undefined;
}

function isJson({ root }: Place): boolean {
  return root === 'data' || root === 'metadata';
}

/** A text that every encoding of a database has, and that is stored as it is. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function isShort(number: string): boolean {
  return /^-?\d{1,18}(\.\d{1,18})?$/.test(number);
}

function plainText(value: Literal): string | undefined {
  if (value.type === 'boolean') return String(value.value);
  return value.type === 'string' && isPlain(value.text) ? value.text : undefined;
}

function isDefined<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
