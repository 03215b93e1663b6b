/** The events of an instance's stream: written before the act they announce, and after the act they report. */

/** The event that started an instance; its payload stays in the log. */
export interface TriggerReference {
  readonly id: string;
  readonly type: string;
  readonly streamId: string;
  readonly globalPosition: number;
}

export type SagaEventData = {
  readonly SagaStarted: {
    readonly saga: string;
    readonly sagaVersion: number;
    readonly instance: string;
    readonly correlationId: string;
    readonly trigger: TriggerReference;
  };
  /** Written before the action; registers its compensation. */
  readonly StepStarted: {
    readonly step: string;
    /** From 1; rises with every start, also after an interruption. */
    readonly attempt: number;
    readonly idempotencyKey: string;
    readonly compensation: boolean;
  };
  readonly StepCompleted: { readonly step: string; readonly attempt: number; readonly result: unknown };
  readonly StepFailed: Failure & {
    /** False when the action may have taken effect. */
    readonly certain: boolean;
  };
  /** A step that timed out took effect later. */
  readonly StepCompletedLate: { readonly step: string; readonly result: unknown };
  readonly CompensationStarted: {
    readonly step: string;
    readonly attempt: number;
    readonly idempotencyKey: string;
  };
  readonly CompensationCompleted: { readonly step: string; readonly attempt: number };
  readonly CompensationFailed: Failure;
  /** An operator asked to retry the compensation that kept failing. */
  readonly CompensationRetried: { readonly step: string };
  readonly SagaCompleted: Readonly<Record<string, never>>;
  /** Failed successfully: at least one step was compensated, and none is left to compensate. */
  readonly SagaCompensated: { readonly reason: string };
  /** Failed with nothing to compensate. */
  readonly SagaFailed: { readonly reason: string };
  /** Parked: this compensation keeps failing, and the compensations of earlier steps wait for it. */
  readonly SagaCompensationFailed: { readonly step: string; readonly reason: string };
};

/** Of all events of an instance's stream. */
export const sagaEventTypes: readonly string[] = Object.keys({
  SagaStarted: true,
  StepStarted: true,
  StepCompleted: true,
  StepFailed: true,
  StepCompletedLate: true,
  CompensationStarted: true,
  CompensationCompleted: true,
  CompensationFailed: true,
  CompensationRetried: true,
  SagaCompleted: true,
  SagaCompensated: true,
  SagaFailed: true,
  SagaCompensationFailed: true,
} satisfies Record<keyof SagaEventData, true>);

interface Failure {
  readonly step: string;
  readonly attempt: number;
  readonly error: string;
  readonly timedOut: boolean;
  readonly willRetry: boolean;
}

export type SagaFact = {
  readonly [Type in keyof SagaEventData]: { readonly type: Type; readonly data: SagaEventData[Type] };
}[keyof SagaEventData];

/** `saga:NAME`: the category of the instances, and the subscription that finds their triggers. */
export function sagaCategory(name: string): string {
  return `saga:${name}`;
}

/** The stream that is the state of one instance. */
export function sagaStreamId(name: string, instance: string): string {
  return `${sagaCategory(name)}-${instance}`;
}
