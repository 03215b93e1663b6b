/**
 * When rows are written. `async`: by a runner that follows the log. `inline`: in the transaction of the append, by
 * programs that have the projection's code; a runner writes the rows for events that other programs append.
 */
export type ProjectionMode = 'async' | 'inline';

const inlinePrefix = 'inline:';

/** The prefix of the code hash of an inline projection. */
export function withMode(mode: ProjectionMode, codeHash: string): string {
  return mode === 'inline' ? `${inlinePrefix}${codeHash}` : codeHash;
}

/** Characters of a code hash that stand for the text of the functions; those before them, for the definition. */
const textLength = 32;

/** @param definition @param text hexadecimal hashes */
export function joinHashes(definition: string, text: string): string {
  return `${definition.slice(0, textLength)}${text.slice(0, textLength)}`;
}

interface Code {
  readonly version: number;
  readonly codeHash: string;
}

/**
 * Returns true when code may write live rows. The author's version is the contract, and the definition must not have changed
 * under it: mode, kind, columns, tables, event types, upcasters. The text of the functions is a hint only, because it
 * depends on the compiler.
 */
export function mayWrite(rows: Code, code: Code): boolean {
  return rows.version === code.version && isSameDefinition(rows.codeHash, code.codeHash);
}

function isSameDefinition(a: string, b: string): boolean {
  return a === b || (a.length > textLength && a.slice(0, -textLength) === b.slice(0, -textLength));
}

/** Returns the mode of the code that has this hash. */
export function modeOf(codeHash: string): ProjectionMode {
  return codeHash.startsWith(inlinePrefix) ? 'inline' : 'async';
}
