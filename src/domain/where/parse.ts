/** Reads the text after `--where`. */
import { EvstoreError, isEvstoreError } from '../errors.js';
import { findSimilar } from '../similar.js';
import { parseMoment, storedTimestamp } from '../timestamp.js';
import type { Condition, Literal, Operator, Place } from './condition.js';

/** What a condition may name. */
export interface Roots {
  /** Values of JSON, in which a path may follow: `data`. */
  readonly json: readonly string[];
  /** Other values: `type`. */
  readonly plain: readonly string[];
  /** Those of the plain ones that are times. A text compared with one becomes RFC 3339 in UTC with six digits of a second. */
  readonly times?: readonly string[];
  /** Those of the plain ones that are UUIDs, which are stored in lower case. A text compared with one becomes so, too. */
  readonly uuids?: readonly string[];
}

interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'sign' | 'end';
  /** Of a string without its quotes. */
  readonly text: string;
  readonly offset: number;
}

/** Deeper conditions come from a program, and would exhaust the stack. */
const maxDepth = 100;

const shapes: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_$])/uy],
  ['word', /[\p{L}_$][\p{L}\p{M}\p{N}_$-]*/uy],
  ['string', /'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"/suy],
  ['sign', /==|!=|<>|<=|>=|[=<>()[\],.]/y],
];

/**
 * Comparisons `data.total >= 100`, `type in ('OrderPaid', 'OrderCancelled')`, `stream like 'Order-%'`,
 * `exists data.coupon`, joined by `and`, `or`, `not` and parentheses.
 * @param now what the age of a time is counted from
 * @throws E_USAGE that marks the place of the mistake
 */
export function parseCondition(text: string, roots: Roots, now: Date): Condition {
  return new Parser(text, roots, now).parse();
}

/**
 * A single place: `data.items[0].price`.
 * @throws E_USAGE that marks the place of the mistake
 */
export function parsePlace(text: string, roots: Roots): Place {
  return new Parser(text, roots, new Date()).parsePlace();
}

class Parser {
  readonly #text: string;
  readonly #roots: Roots;
  readonly #now: Date;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string, roots: Roots, now: Date) {
    this.#text = text;
    this.#roots = roots;
    this.#now = now;
    this.#tokens = tokenise(text);
  }

  parse(): Condition {
    const condition = this.#or();
    if (this.#peek().kind !== 'end') throw this.#fault("expected 'and', 'or' or the end");
    return condition;
  }

  parsePlace(): Place {
    const place = this.#place();
    if (this.#peek().kind !== 'end') throw this.#fault('expected the end');
    return place;
  }

  #or(): Condition {
    return this.#joined('or', () => this.#joined('and', () => this.#not()));
  }

  #joined(kind: 'and' | 'or', read: () => Condition): Condition {
    const terms = [read()];
    while (this.#takeWord(kind)) terms.push(read());
    const [only] = terms;
    return terms.length === 1 && only !== undefined ? only : { kind, terms };
  }

  #not(): Condition {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw this.#fault(`nested deeper than ${maxDepth} levels`);
    const condition = this.#takeWord('not') ? negate(this.#not()) : this.#primary();
    this.#depth -= 1;
    return condition;
  }

  #primary(): Condition {
    if (this.#takeSign('(')) {
      const inner = this.#or();
      this.#expectSign(')');
      return inner;
    }
    if (this.#takeWord('exists')) return this.#exists();
    return this.#comparison(this.#place());
  }

  #exists(): Condition {
    const isEnclosed = this.#takeSign('(');
    const place = this.#place();
    if (isEnclosed) this.#expectSign(')');
    return { kind: 'exists', place };
  }

  #comparison(place: Place): Condition {
    if (this.#takeWord('not')) return negate(this.#among(place) ?? this.#fail("expected 'in' or 'like'"));
    return this.#among(place) ?? this.#compare(place);
  }

  #among(place: Place): Condition | undefined {
    if (this.#takeWord('like')) {
      if (this.#isTime(place)) return this.#failBefore(`${place.root} is a time: compare it with <, <=, >, >=`);
      const pattern = this.#literal();
      return pattern.type === 'string'
        ? { kind: 'like', place, pattern: pattern.text }
        : this.#failBefore('expected a text');
    }
    if (!this.#takeWord('in')) return undefined;
    this.#expectSign('(');
    const values = [this.#literalFor(place)];
    while (this.#takeSign(',')) values.push(this.#literalFor(place));
    this.#expectSign(')');
    return { kind: 'in', place, values };
  }

  #compare(place: Place): Condition {
    const { kind, text } = this.#peek();
    const isNegated = text === '!=' || text === '<>';
    const operator = isNegated || text === '==' ? '=' : text;
    if (kind !== 'sign' || !isOperator(operator)) return this.#fail(whatInstead(text));
    this.#next += 1;
    const value = this.#literalFor(place);
    if (operator !== '=' && value.type !== 'number' && value.type !== 'string') {
      return this.#failBefore('only numbers and texts have an order');
    }
    const compared: Condition = { kind: 'compare', place, operator, value };
    return isNegated ? negate(compared) : compared;
  }

  #place(): Place {
    const token = this.#peek();
    const { json, plain } = this.#roots;
    if (token.kind !== 'word' || isReserved(token.text))
      return this.#fail(`expected a name such as ${examples(this.#roots)}`);
    const isJson = json.includes(token.text);
    if (!isJson && !plain.includes(token.text)) return this.#fail(this.#unknown(token.text));
    this.#next += 1;
    const path: (string | number)[] = [];
    for (let step = this.#step(); step !== undefined; step = this.#step()) path.push(step);
    if (path.length > 0 && !isJson) throw this.#fault(`${token.text} has no parts`, token.offset);
    return { root: token.text, path };
  }

  /** `.name`, `."any name"`, `[0]` or `["any name"]`. */
  #step(): string | number | undefined {
    if (this.#takeSign('.')) {
      const { kind, text } = this.#take();
      return kind === 'word' || kind === 'string' ? text : this.#failBefore('expected a name after the dot');
    }
    if (!this.#takeSign('[')) return undefined;
    const { kind, text } = this.#take();
    const isPlace = kind === 'number' && /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
    if (!isPlace && kind !== 'string') return this.#failBefore('expected a place from 0, or a name in quotes');
    this.#expectSign(']');
    return isPlace ? Number(text) : text;
  }

  #isTime({ root }: Place): boolean {
    return this.#roots.times?.includes(root) === true;
  }

  #literalFor(place: Place): Literal {
    const literal = this.#literal();
    const isUuid = this.#roots.uuids?.includes(place.root) === true;
    if (isUuid && literal.type === 'string') return { type: 'string', text: literal.text.toLowerCase() };
    if (!this.#isTime(place)) return literal;
    if (literal.type !== 'string')
      return this.#failBefore(`${place.root} is a time: '2026-01-31', '2026-01-31T09:30:00Z', '15m'`);
    try {
      return { type: 'string', text: storedTimestamp(parseMoment(literal.text, this.#now)) };
    } catch (error) {
      return this.#failBefore(isEvstoreError(error) ? `${error.message}. ${error.why}` : String(error));
    }
  }

  #literal(): Literal {
    const { kind, text } = this.#peek();
    const word = text.toLowerCase();
    this.#next += 1;
    if (kind === 'number' || kind === 'string') return { type: kind, text };
    if (kind === 'word' && (word === 'true' || word === 'false')) return { type: 'boolean', value: word === 'true' };
    if (kind === 'word' && word === 'null') return { type: 'null' };
    const hint = kind === 'word' ? `: a text is written '${text}'` : '';
    return this.#failBefore(`expected a number, a 'text', true, false or null${hint}`);
  }

  #unknown(word: string): string {
    const known = [...this.#roots.plain, ...this.#roots.json];
    const inside = this.#roots.json[0];
    const meant = findSimilar(word, known) ?? (inside === undefined ? undefined : `${inside}.${word}`);
    return `no ${word} here${meant === undefined ? `: there are ${known.join(', ')}` : `, did you mean ${meant}?`}`;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }

  #takeWord(word: string): boolean {
    const { kind, text } = this.#peek();
    return this.#advance(kind === 'word' && text.toLowerCase() === word);
  }

  #takeSign(sign: string): boolean {
    const { kind, text } = this.#peek();
    return this.#advance(kind === 'sign' && text === sign);
  }

  #advance(isTaken: boolean): boolean {
    if (isTaken) this.#next += 1;
    return isTaken;
  }

  #expectSign(sign: string): void {
    if (!this.#takeSign(sign)) throw this.#fault(`expected '${sign}'`);
  }

  #fail(what: string): never {
    throw this.#fault(what);
  }

  /** The token that was just taken is the mistake. */
  #failBefore(what: string): never {
    throw this.#fault(what, this.#tokens[Math.max(0, this.#next - 1)]?.offset);
  }

  #fault(what: string, offset = this.#peek().offset): EvstoreError {
    return fault(this.#text, offset, what);
  }
}

/** Names the operator to use instead of one that other languages have. */
function whatInstead(text: string): string {
  const word = text.toLowerCase();
  if (word === 'is')
    return "expected an operator: 'is null' is written '= null', or 'not exists PLACE' if it may be missing";
  if (word === 'exists') return "'exists' comes before the place: exists data.coupon";
  return 'expected =, !=, <, <=, >, >=, in, like';
}

const instead: readonly (readonly [sign: string, word: string])[] = [
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
];

function negate(term: Condition): Condition {
  return term.kind === 'not' ? term.term : { kind: 'not', term };
}

function isOperator(text: string): text is Operator {
  return ['=', '<', '<=', '>', '>='].includes(text);
}

function isReserved(word: string): boolean {
  return ['and', 'or', 'not', 'in', 'like', 'exists'].includes(word.toLowerCase());
}

function examples({ json, plain }: Roots): string {
  return [...plain.slice(0, 1), ...json.slice(0, 1).map((root) => `${root}.total`)].join(' or ');
}

/** The last token is the end. */
function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  for (;;) {
    offset += /^\s*/.exec(text.slice(offset))?.[0].length ?? 0;
    if (offset === text.length) return [...tokens, { kind: 'end', text: '', offset }];
    // A dot after a number would be a part of it; in a path only words and strings come before a dot.
    const [kind, match] = firstMatch(text, offset);
    tokens.push({ kind, text: kind === 'string' ? unquote(text, match, offset) : match, offset });
    offset += match.length;
  }
}

function firstMatch(text: string, offset: number): readonly [Token['kind'], string] {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = offset;
    const match = shape.exec(text)?.[0];
    if (match !== undefined) return [kind, match];
  }
  const isQuote = text[offset] === "'" || text[offset] === '"';
  if (isQuote) throw fault(text, offset, 'this quote is not closed');
  const [sign, word] = instead.find(([sign]) => text.startsWith(sign, offset)) ?? [];
  throw fault(text, offset, sign === undefined ? 'unknown sign' : `write '${word}' instead of '${sign}'`);
}

/** `'it''s'` as in SQL, `"it\"s"` as in JSON. */
function unquote(text: string, quoted: string, offset: number): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1).replaceAll("''", "'");
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw fault(text, offset, 'not a text of JSON; single quotes take backslashes as they are');
  }
}

/** Shows the line of the mistake with a mark below it. */
function fault(text: string, offset: number, what: string): EvstoreError {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const [line = ''] = text.slice(start).split('\n');
  const mark = ' '.repeat([...line.slice(0, offset - start)].length);
  return new EvstoreError('E_USAGE', what, { why: `Here:\n${line}\n${mark}^`, details: { offset } });
}
