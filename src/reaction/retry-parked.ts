/** Handles parked events of a reaction again. */

import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import { reactionId } from '../domain/subscription-names.js';
import { toSetAside } from '../projection/define/set-aside.js';
import {
  findParked,
  type ParkedOptions,
  type ParkedSelection,
  unmoved,
  withLiveTables,
} from '../projection/parked/parked.js';
import type { ParkedEvent } from '../store/store.js';
import type { Reaction } from './definition.js';
import { appendPlanned, planReaction } from './react.js';

export interface RetriedEvent {
  readonly streamId: string;
  /** 1 when it is handled now. */
  readonly applied: number;
  /** 1 when it stays parked. */
  readonly waiting: number;
  readonly error: EvstoreError | null;
}

/**
 * Handles the selected events in the order of the log. One that fails again stays parked, and does not hold the others.
 * @throws E_NOT_FOUND when nothing is parked
 * @throws E_SUPERSEDED when another process took the lease: what was handled until then stays handled
 */
export async function retryParkedReaction(
  options: ParkedOptions & { readonly reaction: Reaction },
  selection: ParkedSelection,
): Promise<readonly RetriedEvent[]> {
  const { store, reaction } = options;
  const id = reactionId(reaction.name);
  await findParked(store, id, selection);
  return withLiveTables(options, id, async ({ lease, signal }) => {
    const retried: RetriedEvent[] = [];
    for (const parked of await findParked(store, id, selection)) {
      const error = await handleAgain(parked);
      await store.projections.apply({
        ...unmoved(lease),
        changes: { kind: 'statements', statements: [] },
        parked:
          error === null
            ? { projection: id, added: [], removed: [parked.globalPosition] }
            : { projection: id, added: [stillParked(parked, error)], removed: [] },
      });
      const isDone = error === null;
      retried.push({ streamId: parked.streamId, applied: isDone ? 1 : 0, waiting: isDone ? 0 : 1, error });
    }
    return retried;

    async function handleAgain({ id: eventId, globalPosition }: ParkedEvent): Promise<EvstoreError | null> {
      const event = await store.log.find(eventId);
      if (event === undefined) {
        throw new EvstoreError(
          'E_DIVERGED',
          `the parked event at position ${groupDigits(globalPosition)} is not in the log`,
        );
      }
      try {
        await appendPlanned(reaction, event, await planReaction(reaction, event, store.log, signal), store.log);
        return null;
      } catch (error) {
        if (isEvstoreError(error) && error.code === 'E_HANDLER') return error;
        throw error;
      }
    }
  });
}

function stillParked(parked: ParkedEvent, error: EvstoreError) {
  const { globalPosition, id, streamId, type, state, attempts } = parked;
  const described = toSetAside({ globalPosition, id, streamId, type } as Parameters<typeof toSetAside>[0], state, {
    error,
    attempts: attempts + 1,
  });
  return described;
}
