/** What the facts of an instance make of its row. Pure, so that the rows can be made again from the streams. */
import type { InstanceRow } from '../store/store.js';
import { currentStep, describeTrouble, type SagaState } from './state.js';

export function rowOf(state: SagaState): InstanceRow {
  const { saga, instance, version, definition, phase, trigger, correlationId, reason, due } = state;
  return {
    saga,
    instance,
    sagaVersion: version,
    definition,
    phase,
    ...placeOf(state),
    triggerPosition: trigger.globalPosition,
    correlationId,
    error: describeTrouble(state),
    reason,
    waitKey: waitKeyOf(state),
    due,
  };
}

function placeOf(state: SagaState): Pick<InstanceRow, 'step' | 'attempt'> {
  const { phase, steps } = state;
  if (phase === 'running' || phase === 'waiting') {
    const step = currentStep(state) ?? steps.at(-1);
    return { step: step?.name ?? null, attempt: step?.attempts ?? 0 };
  }
  if (phase !== 'compensating' && phase !== 'compensation-failed') return { step: null, attempt: 0 };
  const undone = steps.findLast(({ compensation }) => compensation.registered && !compensation.completed);
  return { step: undone?.name ?? null, attempt: undone?.compensation.attempts ?? 0 };
}

function waitKeyOf(state: SagaState): string | null {
  const wait = currentStep(state)?.wait;
  return wait?.kind === 'event' ? wait.key : null;
}
