/** A saga that leaves each effect in a file, as another system would see the requests, and in a stream. */
import { appendFileSync } from 'node:fs';
import { type ActionOptions, defineSaga, type SagaDefinition } from '../../src/saga/definition.js';
import { NotApplied } from '../../src/saga/failures.js';

/** @param fails whether the last step does, and the ones before it are undone */
export function makeFulfilment(effects: string, fails: boolean): SagaDefinition {
  const happen = (key: string) => appendFileSync(effects, `${key}\n`);
  const step = (name: string): ActionOptions<{ readonly streamId: string }, unknown, Promise<void>> => ({
    retries: 0,
    action: async ({ idempotencyKey, append, trigger }) => {
      if (fails && name === 'ship') throw new NotApplied('no courier');
      happen(idempotencyKey);
      await append(`Effect-${trigger.streamId}`, { type: name, data: { at: Date.now() } });
    },
    compensate: async ({ idempotencyKey, append, trigger }) => {
      happen(idempotencyKey);
      await append(`Effect-${trigger.streamId}`, { type: `undo ${name}`, data: { at: Date.now() } });
    },
  });
  return defineSaga({ name: 'fulfilment', version: 1, startOn: 'OrderPlaced' })
    .step('reserve', step('reserve'))
    .step('charge', step('charge'))
    .step('ship', step('ship'));
}

/** Types in the order of the stream, each effect of one instance. */
export const allDone = ['reserve', 'charge', 'ship'];
export const allUndone = ['reserve', 'charge', 'undo charge', 'undo reserve'];
