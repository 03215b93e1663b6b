/** Tells definitions of one version of a saga apart, by what decides how the facts of an instance are read. */
import type { SagaCode } from '../store/store.js';
import type { SagaDefinition, SagaStep } from './definition.js';
import { textsOf } from './validate.js';

/** How long a step may take, how often it is retried and how long it waits may change under one version. */
export function definitionOf({ steps }: SagaDefinition): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const text = JSON.stringify(steps.map(describeStep));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function codeOf(saga: SagaDefinition): SagaCode {
  return { saga: saga.name, version: saga.version, definition: definitionOf(saga) };
}

function describeStep(step: SagaStep): readonly unknown[] {
  switch (step.kind) {
    case 'action':
      return [step.name, step.kind, step.compensate !== undefined];
    case 'event':
      return [step.name, step.kind, textsOf(step.type), step.onTimeout ?? 'compensate'];
    case 'sleep':
      return [step.name, step.kind];
  }
}
