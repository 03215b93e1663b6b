/** What to do when a handler stopped a command that could also leave the event for later. */
import { EvstoreError } from '../../src/domain/errors.js';
import type { Context, Flags } from '../options/command.js';

/** Returns the error with the command that continues without the event; others, and those of batches, as they are. */
export function withWayPast(error: EvstoreError, { onError = 'stop' }: Flags, context: Context): EvstoreError {
  const { code, message, why, next, details } = error;
  if (code !== 'E_HANDLER' || details.globalPosition === undefined || onError !== 'stop') return error;
  return new EvstoreError(code, message, {
    why: [
      ...(why === undefined ? [] : [why]),
      ...(next === undefined ? [] : [`Look at the event: ${context.completeCommand(next)}`]),
      'Correct the code and repeat the command, or park the event to retry it later.',
    ].join('\n'),
    next: context.repeatedWithout(['--on-error'], '--on-error', 'park'),
    details,
    cause: error.cause,
  });
}
