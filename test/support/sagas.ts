/** Sagas made from lists of steps, where a test makes the steps itself. */
import { type ActionStep, type SagaDefinition, type SagaStep, withSteps } from '../../src/saga/definition.js';

export type TestStep = Partial<ActionStep> & { readonly name: string };

/** A saga of actions that are tried once, unless they say otherwise. */
export function sagaOf(steps: readonly (TestStep | SagaStep)[], change: Partial<SagaDefinition> = {}): SagaDefinition {
  const whole = steps.map((step): SagaStep => {
    if (step.kind === 'event' || step.kind === 'sleep') return step;
    return { retries: 0, action: () => {}, ...step, kind: 'action' };
  });
  return withSteps({ kind: 'saga', name: 'orders', version: 1, startOn: 'OrderPlaced', steps: whole, ...change });
}
