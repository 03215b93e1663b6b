/** `--parallel`: which projections have handlers that can run in several threads, and in how many. */

import { EvstoreError } from '../../src/domain/errors.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { whyAlone } from '../../src/projection/fold/threads/threaded-fold.js';
import type { Context, Flags } from './command.js';

const mostThreads = 16;
/** Of all projections together: each thread has a heap of its own. */
const mostTogether = 64;

export function threadCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= mostThreads) return count;
  throw new EvstoreError('E_USAGE', `'${text}' is not a number of threads, 1 to ${mostThreads}`);
}

/**
 * Threads of each projection that can have several. With --all those that cannot are noted.
 * @throws E_USAGE for one that was named and cannot, and for too many threads together
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
    else if (flags.all === true) await context.note(`${projection.name} is rebuilt in one thread. ${why}`);
    else {
      throw new EvstoreError('E_USAGE', `projection ${projection.name} cannot be rebuilt in several threads`, {
        why,
        next: `evstore rebuild ${projection.name}`,
      });
    }
  }
  if (together <= mostTogether) return threads;
  throw new EvstoreError('E_USAGE', `that would be ${together} threads, more than ${mostTogether}`, {
    why: 'Each projection has threads of its own, and each thread takes memory.',
    next: 'evstore rebuild --help',
  });
}
