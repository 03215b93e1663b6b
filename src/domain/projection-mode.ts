/**
 * When rows are written. `async`: by a runner that follows the log. `inline`: in the transaction of the append, by
 * programs that have the projection's code; a runner writes what other programs append.
 */
export type ProjectionMode = 'async' | 'inline';

const inlinePrefix = 'inline:';

/** The hash of a projection's code says in front that appends write the rows too. */
export function withMode(mode: ProjectionMode, codeHash: string): string {
  return mode === 'inline' ? `${inlinePrefix}${codeHash}` : codeHash;
}

/** Of the code with that hash. */
export function modeOf(codeHash: string): ProjectionMode {
  return codeHash.startsWith(inlinePrefix) ? 'inline' : 'async';
}
