/** The events a saga's state is made of. They are written before the act they announce, and after the act they report. */

/** The event that started an instance; its payload is read from the log, not copied. */
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
  /** Before the action, with the compensation it will need. */
  readonly StepStarted: {
    readonly step: string;
    /** From 1; rises with every start, also after an interruption. */
    readonly attempt: number;
    readonly idempotencyKey: string;
    readonly compensation: boolean;
  };
  readonly StepCompleted: { readonly step: string; readonly attempt: number; readonly result: unknown };
  readonly StepFailed: Failure & {
    /** False when the action may have taken effect all the same. */
    readonly certain: boolean;
  };
  /** A step that had run out of time went through after all. */
  readonly StepCompletedLate: { readonly step: string; readonly result: unknown };
  readonly CompensationStarted: {
    readonly step: string;
    readonly attempt: number;
    readonly idempotencyKey: string;
  };
  readonly CompensationCompleted: { readonly step: string; readonly attempt: number };
  readonly CompensationFailed: Failure;
  /** Somebody asked for another try at the compensation that kept failing. */
  readonly CompensationRetried: { readonly step: string };
  readonly SagaCompleted: Readonly<Record<string, never>>;
  /** Failed successfully: at least one step was undone, and nothing is left to undo. */
  readonly SagaCompensated: { readonly reason: string };
  /** Failed with nothing to undo. */
  readonly SagaFailed: { readonly reason: string };
  /** Parked: this compensation keeps failing, and the ones before it wait for it. */
  readonly SagaCompensationFailed: { readonly step: string; readonly reason: string };
};

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
