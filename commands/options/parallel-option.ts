/** `--parallel`: how many threads run the handlers of each projection that allows it. */
import { EvstoreError } from '../../src/domain/errors.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { whyAlone } from '../../src/projection/fold/threads/threaded-fold.js';
import type { Context, Flags } from './command.js';

const mostThreads = 16;
/** Of all projections together: each thread has its own heap. */
const mostTogether = 64;

export function threadCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= mostThreads) return count;
  throw new EvstoreError('E_USAGE', `'${text}' is not a number of threads, 1 to ${mostThreads}`);
}

/**
 * Returns the threads of each projection that allows several. With --all, it notes those that do not.
 * @throws E_USAGE for a named projection that does not, and for too many threads together
 */
export async function readParallel(
  projections: readonly PreparedProjection[],
  flags: Flags,
  context: Context,
): Promise<number> {
  const threads = (flags.parallel as number | undefined) ?? 1;
  if (threads === 1) return threads;
  let together = 0;
  for (const projection of projections) {
    const why = whyAlone(projection);
    if (why === undefined) together += threads;
    else if (flags.all === true) await context.note(`${projection.name} is rebuilt in one thread: ${why}`);
    else {
      throw new EvstoreError('E_USAGE', `projection ${projection.name} cannot be rebuilt in several threads`, {
        why,
        next: `evstore rebuild ${projection.name}`,
      });
    }
  }
  if (together <= mostTogether) return threads;
  throw new EvstoreError('E_USAGE', `${together} threads are more than the limit of ${mostTogether}`, {
    why: 'Each projection has its own threads, and each thread takes memory.',
    next: 'evstore rebuild --help',
  });
}
