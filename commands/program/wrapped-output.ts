/** What is written for people, in lines that their terminal need not break. */
import type { Output } from '../../src/terminal/io.js';

/** As it is where no terminal reads it. Bytes are passed on as they are: scripts, statements and events to copy. */
export async function wrapOutput(output: Output): Promise<Output> {
  if (!output.isTTY) return output;
  const { wrapLines } = await import('../../src/output/text-width.js');
  return {
    isTTY: true,
    columns: output.columns,
    get closed() {
      return output.closed;
    },
    write: (text, events) => output.write(typeof text === 'string' ? wrapLines(text, output.columns) : text, events),
    flush: () => output.flush(),
    watchReader: () => output.watchReader(),
  };
}
