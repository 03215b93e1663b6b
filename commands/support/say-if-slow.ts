/** Says what is being executed only where that takes long: a line for each file of each command would be noise. */
import type { Context, Flags } from '../options/command.js';

const slowMs = 1_000;

/** @param work calls `note` before each thing it does; with --debug every line is printed at once */
export async function sayIfSlow<Result>(
  { note: print }: Pick<Context, 'note'>,
  { debug }: Flags,
  work: (note: (line: string) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const note = async (line: string) => {
    clearTimeout(timer);
    if (debug === true) await print(line);
    else timer = setTimeout(() => void print(line).catch(() => {}), slowMs);
  };
  try {
    return await work(note);
  } finally {
    clearTimeout(timer);
  }
}
