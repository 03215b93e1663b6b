/** The events of an instance's stream: written before the act they announce, and after the act they report. */

import { sagaId } from '../domain/subscription-names.js';

/** An event of the log; the payload of a trigger stays there. */
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
    /** Tells definitions of the same version apart. */
    readonly definition: string;
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
  /** What an action stored before its end. */
  readonly StepRecorded: { readonly step: string; readonly values: Readonly<Record<string, unknown>> };
  readonly StepCompleted: { readonly step: string; readonly attempt: number; readonly result: unknown };
  readonly StepFailed: Failure & {
    /** False when the action may have taken effect. */
    readonly certain: boolean;
  };
  /** The process was told to stop before the attempt had ended: it is retried, and does not count as a failure. */
  readonly StepInterrupted: { readonly step: string; readonly attempt: number; readonly reason: string };
  /** A step took effect after its saga had begun to compensate. */
  readonly StepCompletedLate: { readonly step: string; readonly result: unknown };
  /** An operator asked for the next attempt at once. */
  readonly StepRetried: { readonly step: string };

  /** It waits for an event; the log is searched for one that came before. */
  readonly WaitStarted: {
    readonly step: string;
    readonly types: readonly string[];
    readonly key: string;
    /** From the end of the search; null for ever. */
    readonly timeoutMs: number | null;
  };
  /** No such event came before the wait, up to this position of the log. */
  readonly WaitSearched: { readonly step: string; readonly upTo: number };
  readonly EventReceived: {
    readonly step: string;
    readonly event: TriggerReference;
    /** Left out where the fact would be larger or deeper than an event may be; then it is read from the log. */
    readonly data?: unknown;
  };
  readonly WaitTimedOut: { readonly step: string; readonly upTo: number; readonly continues: boolean };
  readonly SleepStarted:
    | { readonly step: string; readonly forMs: number }
    | { readonly step: string; readonly until: string };
  readonly SleepEnded: { readonly step: string };

  /** An operator asked to compensate it. */
  readonly CancelRequested: { readonly reason: string };
  readonly CompensationStarted: {
    readonly step: string;
    readonly attempt: number;
    readonly idempotencyKey: string;
  };
  readonly CompensationCompleted: { readonly step: string; readonly attempt: number };
  readonly CompensationFailed: Failure;
  readonly CompensationInterrupted: { readonly step: string; readonly attempt: number; readonly reason: string };
  /** An operator asked to retry the compensation that kept failing, or to retry it at once. */
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
  StepRecorded: true,
  StepCompleted: true,
  StepFailed: true,
  StepInterrupted: true,
  StepCompletedLate: true,
  StepRetried: true,
  WaitStarted: true,
  WaitSearched: true,
  EventReceived: true,
  WaitTimedOut: true,
  SleepStarted: true,
  SleepEnded: true,
  CancelRequested: true,
  CompensationStarted: true,
  CompensationCompleted: true,
  CompensationFailed: true,
  CompensationInterrupted: true,
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
  /** After how many milliseconds it is retried; null when it is not. */
  readonly retryInMs: number | null;
}

export type FactOf<Type extends keyof SagaEventData> = { readonly type: Type; readonly data: SagaEventData[Type] };

export type SagaFact = { readonly [Type in keyof SagaEventData]: FactOf<Type> }[keyof SagaEventData];

/** `saga:NAME`: the category of the instances, and the subscription that finds their triggers. */
export function sagaCategory(name: string): string {
  return sagaId(name);
}

/** The stream that is the state of one instance. */
export function sagaStreamId(name: string, instance: string): string {
  return `${sagaCategory(name)}-${instance}`;
}
