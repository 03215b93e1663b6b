/** Folds events into the state of an aggregate. */
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { groupDigits } from '../domain/numbers.js';
import { shellWord } from '../domain/shell-word.js';
import { HandledEvent } from '../projection/define/event.js';
import { explain, explainBigNumber } from '../projection/define/handler-error.js';
import { describeValue, isPromise } from '../projection/define/values.js';
import type { PreparedAggregate } from './prepare.js';

/**
 * Returns the state after an event; the same state for a type that the aggregate does not handle.
 * @throws E_HANDLER naming the event
 */
export function evolveState(aggregate: PreparedAggregate, state: unknown, recorded: RecordedEvent): unknown {
  const { evolve } = aggregate.definition;
  const part = Object.hasOwn(evolve, recorded.type) ? recorded.type : '*';
  const handle = Object.hasOwn(evolve, part) ? evolve[part] : undefined;
  if (handle === undefined) return state;
  let next: unknown;
  try {
    next = handle(state, new HandledEvent(recorded, aggregate.reading));
  } catch (error) {
    throw failedOn(aggregate, recorded, explain(`evolve.${part}`, error), error);
  }
  if (next !== undefined && !isPromise(next)) return next;
  throw failedOn(aggregate, recorded, `evolve.${part} returns the state, not ${describeValue(next)}.`);
}

function failedOn({ name }: PreparedAggregate, event: RecordedEvent, why: string, cause?: unknown): EvstoreError {
  const { globalPosition, type, streamId, version, id } = event;
  return new EvstoreError(
    'E_HANDLER',
    `aggregate ${name} failed on ${type} at position ${groupDigits(globalPosition)}`,
    {
      why: `${why} ${explainBigNumber(event, cause)}The event is version ${version} of ${streamId}.`,
      next: `evstore read ${shellWord(streamId)} --from-version ${version} --to-version ${version}`,
      details: { aggregate: name, globalPosition, type, streamId, version, id },
      cause,
    },
  );
}
