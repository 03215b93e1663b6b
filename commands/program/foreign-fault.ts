/** Tells errors that nothing caught apart: those of the user's code from those of evstore. */
import { fileURLToPath } from 'node:url';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';

/** The folder of evstore itself: in the working tree, or of the package. */
const own = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url));

/** @param thrown outside of any call that evstore waits for: in a timer, or in a promise that nothing awaits */
export function nameForeignFault(thrown: unknown): unknown {
  if (isEvstoreError(thrown)) return thrown;
  const { message, stack } = thrown instanceof Error ? thrown : { message: String(thrown), stack: undefined };
  // Node.js wraps the reason of a promise that is not an Error; evstore rejects with nothing else.
  const [, reason] =
    /was not handled with \.catch\(\)\. The promise rejected with the reason "(.*)"/s.exec(message) ?? [];
  const place = reason === undefined && stack !== undefined ? placeOf(stack) : 'by code that threw no Error';
  if (place === undefined) return thrown;
  const [what = ''] = (reason ?? message).split('\n');
  return new EvstoreError('E_HANDLER', `code outside evstore threw, and nothing caught it: ${what}`, {
    why: `It was thrown ${place}, in a timer or in a promise that nothing awaits.`,
    cause: thrown,
  });
}

/** The innermost frame that is neither of Node.js nor of a package, unless it is evstore's. */
function placeOf(stack: string): string | undefined {
  const places = stack.matchAll(/^ +at (?:.*\()?(?:async )?(?:file:\/\/)?((?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/gm);
  const frames = [...places].map(([line, place = '']) => (line.includes('file://') ? decodeURI(place) : place));
  const frame = frames.find((each) => each.startsWith(own) || !each.includes('/node_modules/'));
  return frame === undefined || frame.startsWith(own) ? undefined : `at ${frame}`;
}
