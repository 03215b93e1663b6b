/**
 * A strict scanner of JSON text, without recursion: it accepts what RFC 8259, Postgres and SQLite all accept and preserve,
 * and reports the first thing that one of them would refuse or change.
 */
import { maxJsonDepth } from './limits.js';

/** Postgres' numeric: digits before the point, and after it. */
const maxIntegerDigits = 131_072;
const maxScale = 16_383;
const maxExponent = 1_000_000_000;

/** Up to this many keys are compared one by one; most objects have fewer. */
const fewKeys = 16;

const numberShape = /-?(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?/y;

/** What stopped the scanner, and where. `scanJson` catches it. */
export class ScanFault extends Error {
  readonly offset: number;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}

/** The keys of one object. */
class Keys {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  /** Returns false when the key was added before. */
  add(key: string): boolean {
    if (this.#many?.has(key) ?? this.#few.includes(key)) return false;
    if (this.#many !== undefined) this.#many.add(key);
    else if (this.#few.push(key) > fewKeys) this.#many = new Set(this.#few);
    return true;
  }
}

export class JsonScanner {
  readonly #text: string;
  readonly #members: Map<string, string> | undefined;
  #offset = 0;
  /** Open containers: the keys of an object so far, null for an array. */
  readonly #open: (Keys | null)[] = [];
  /** The member of the outermost object that is being scanned. */
  #memberKey: string | undefined;
  #memberStart = 0;

  /** @param members receives the members of the outermost object as the texts in which they were written */
  constructor(text: string, members?: Map<string, string>) {
    this.#text = text;
    this.#members = members;
  }

  /** @throws ScanFault at the first fault */
  scan(): void {
    do this.#value();
    while (this.#moreAfterValue());
    if (this.#offset < this.#text.length) this.#fail('something follows the value');
  }

  /** Scans a value, or the start of a container up to its first inner value. */
  #value(): void {
    for (;;) {
      const code = this.#skipSpace();
      if (code === 0x7b) {
        this.#enter(new Keys());
        if (this.#skipSpace() === 0x7d) return;
        this.#key();
      } else if (code === 0x5b) {
        this.#enter(null);
        if (this.#skipSpace() === 0x5d) return;
      } else {
        this.#scalar(code);
        return;
      }
    }
  }

  /** Closes the containers that end here. Returns true when another value must follow. */
  #moreAfterValue(): boolean {
    for (;;) {
      if (this.#open.length === 1) this.#keepMember();
      const code = this.#skipSpace();
      const keys = this.#open[this.#open.length - 1];
      if (keys === undefined) return false;
      if (code === 0x2c) {
        this.#offset++;
        if (keys !== null) this.#key();
        return true;
      }
      if (code !== (keys === null ? 0x5d : 0x7d)) {
        this.#fail(`expected ',' or '${keys === null ? ']' : '}'}'`);
      }
      this.#offset++;
      this.#open.pop();
    }
  }

  #keepMember(): void {
    if (this.#memberKey === undefined) return;
    this.#members?.set(this.#memberKey, this.#text.slice(this.#memberStart, this.#offset));
    this.#memberKey = undefined;
  }

  #enter(keys: Keys | null): void {
    if (this.#open.length === maxJsonDepth) this.#fail(`nested deeper than ${maxJsonDepth} levels`);
    this.#open.push(keys);
    this.#offset++;
  }

  #key(): void {
    if (this.#skipSpace() !== 0x22) this.#fail('expected a key in double quotes');
    const start = this.#offset;
    const plain = this.#string();
    const key = plain
      ? this.#text.slice(start + 1, this.#offset - 1)
      : (JSON.parse(this.#text.slice(start, this.#offset)) as string);
    if (this.#open[this.#open.length - 1]?.add(key) === false) {
      this.#fail(`the key ${JSON.stringify(key)} appears twice in one object`, start);
    }
    if (this.#skipSpace() !== 0x3a) this.#fail("expected ':'");
    this.#offset++;
    if (this.#open.length > 1 || this.#members === undefined) return;
    this.#skipSpace();
    this.#memberKey = key;
    this.#memberStart = this.#offset;
  }

  #scalar(code: number): void {
    if (code === 0x22) this.#string();
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) this.#number();
    else if (code === 0x74) this.#word('true');
    else if (code === 0x66) this.#word('false');
    else if (code === 0x6e) this.#word('null');
    else this.#fail(this.#offset < this.#text.length ? 'expected a value' : 'the text ends before the value does');
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.#offset)) this.#fail('expected a value');
    this.#offset += word.length;
  }

  /** Scans a string. Returns true when it has no escape. */
  #string(): boolean {
    const text = this.#text;
    let plain = true;
    for (let at = this.#offset + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#offset = at + 1;
        return plain;
      }
      if (code === 0x5c) {
        plain = false;
        at = this.#escape(at);
      } else if (code < 0x20) {
        this.#fail('a control character inside a string must be escaped', at);
      } else if (code >= 0xd800 && code <= 0xdfff) {
        if (code > 0xdbff || !isLowSurrogate(text.charCodeAt(at + 1))) this.#fail('half of a surrogate pair', at);
        at++;
      }
    }
    return this.#fail('the text ends inside a string', text.length);
  }

  /** Returns the offset of the last character of the escape, or of the pair it begins. */
  #escape(at: number): number {
    const kind = this.#text[at + 1];
    if (kind !== 'u') {
      if (kind === undefined || !'"\\/bfnrt'.includes(kind)) this.#fail('an unknown escape', at);
      return at + 1;
    }
    const code = this.#unit(at);
    if (code === 0) this.#fail('\\u0000 cannot be stored', at);
    if (code < 0xd800 || code > 0xdfff) return at + 5;
    const pairs = code <= 0xdbff && this.#text.startsWith('\\u', at + 6) && isLowSurrogate(this.#unit(at + 6));
    return pairs ? at + 11 : this.#fail('half of a surrogate pair', at);
  }

  #unit(at: number): number {
    const hex = this.#text.slice(at + 2, at + 6);
    return /^[0-9a-fA-F]{4}$/.test(hex)
      ? Number.parseInt(hex, 16)
      : this.#fail('\\u needs four hexadecimal digits', at);
  }

  #number(): void {
    numberShape.lastIndex = this.#offset;
    const match = numberShape.exec(this.#text) ?? this.#fail('not a number');
    const end = numberShape.lastIndex;
    if (/[0-9.eE+-]/.test(this.#text[end] ?? '')) this.#fail('not a number');
    if (match[0].length > 300 || match[3] !== undefined) this.#checkRange(match);
    this.#offset = end;
  }

  #checkRange([, whole = '', fraction = '', exponentText = '0']: RegExpExecArray): void {
    const exponent = Number(exponentText);
    const significant = (whole + fraction).replace(/^0+/, '').length;
    const integerDigits = significant === 0 ? 0 : significant - fraction.length + exponent;
    const isInRange =
      Math.abs(exponent) <= maxExponent && integerDigits <= maxIntegerDigits && fraction.length - exponent <= maxScale;
    if (!isInRange) this.#fail('a number out of the range of an exact decimal');
  }

  /** Returns the code of the next character that is not white space; NaN at the end. */
  #skipSpace(): number {
    const text = this.#text;
    let code = text.charCodeAt(this.#offset);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.#offset);
    return code;
  }

  #fail(reason: string, offset = this.#offset): never {
    throw new ScanFault(offset, reason);
  }
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
