/** How much of a whole is done, as a bar of one line. */

/** @param share from 0 to 1 */
export function progressBar(share: number, width: number, unicode: boolean): string {
  const done = Math.floor(Math.min(1, Math.max(0, share)) * width);
  const [full, empty] = unicode ? ['▓', '░'] : ['#', '.'];
  return full.repeat(done) + empty.repeat(width - done);
}
