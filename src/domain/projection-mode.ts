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

/** Returns the mode of the code that has this hash. */
export function modeOf(codeHash: string): ProjectionMode {
  return codeHash.startsWith(inlinePrefix) ? 'inline' : 'async';
}
