/** Writes and reads lines of COPY's text format. */

export type CopyValue = string | number | boolean | null;

/** Longer messages bring no gain. */
const pieceLength = 65_536;
const special = /[\\\t\n\r]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
/** The meanings of letters after a backslash; any other character means itself. */
const meanings: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Returns the values of one row as a line, with its line end. */
export function copyLine(values: readonly CopyValue[]): string {
  let line = '';
  let separator = '';
  for (const value of values) {
    line += separator + copyField(value);
    separator = '\t';
  }
  return `${line}\n`;
}

/** Returns the fields of a line without its line end, as the server spelt them. */
export function splitLine(line: string): (string | null)[] {
  return line.split('\t').map((field) => {
    if (field === '\\N') return null;
    return field.includes('\\') ? field.replace(/\\(.)/g, (_, letter: string) => meanings[letter] ?? letter) : field;
  });
}

/** Joins many short lines into few long messages. */
export function* joinLines(lines: Iterable<string>): Generator<Buffer> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

function copyField(value: CopyValue): string {
  if (value === null) return '\\N';
  if (typeof value !== 'string') return String(value);
  return special.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character) : value;
}
