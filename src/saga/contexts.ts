/** What the functions of a saga get. */
// biome-ignore-all lint/suspicious/noExplicitAny: data and results are whatever the user's events and steps hold.
import type { Event } from '../projection/define/definition.js';

/** A value as it is read back from JSON: what an action returns is stored in the stream of its instance. */
export type Recorded<Value> = 0 extends 1 & Value
  ? any
  : Value extends string | number | bigint | boolean | null
    ? Value
    : // biome-ignore lint/suspicious/noConfusingVoidType: an action that returns nothing.
      Value extends undefined | void
      ? null
      : Value extends { toJSON(): infer Text }
        ? Recorded<Text>
        : Value extends readonly (infer Item)[]
          ? readonly Recorded<Item>[]
          : Value extends object
            ? { readonly [Name in keyof Value]: RecordedMember<Value[Name]> }
            : unknown;

/** What JSON makes of a member. */
export type RecordedMember<Value> = 0 extends 1 & Value ? any : Value extends undefined ? undefined : Recorded<Value>;

/** What is known in each step. */
export interface StepContext<Trigger = Event, Results = Readonly<Record<string, any>>> {
  /** The event that started the saga. */
  readonly trigger: Trigger;
  /** Step name → what it returned or received, for the steps before this one. */
  readonly results: Results;
  readonly instance: string;
  readonly correlationId: string;
}

/** What an action gets. */
export interface ActionContext<Trigger = Event, Results = Readonly<Record<string, any>>>
  extends StepContext<Trigger, Results> {
  /** `NAME/INSTANCE/STEP`, the same in every attempt. Pass it on, so that a repeated request takes effect once. */
  readonly idempotencyKey: string;
  /** From 1; more than 1 when an earlier attempt failed or was interrupted. */
  readonly attempt: number;
  /** Aborts when the attempt times out, and when the process is told to stop. */
  readonly signal: AbortSignal;
  /** What earlier attempts recorded with `record`. */
  readonly recorded: Readonly<Record<string, any>>;
  /**
   * Stores values at once, so that later attempts and the compensation know them even when this attempt is cut off: the id
   * of a charge, for example. Values of a name that is recorded again replace the earlier ones.
   */
  record(values: Readonly<Record<string, unknown>>): Promise<void>;
  /** Appends the event once, even when the step is repeated. */
  append(streamId: string, event: SagaEvent, options?: SagaAppendOptions): Promise<void>;
}

/** What a compensation gets. Its idempotency key is `NAME/INSTANCE/STEP/compensate`. */
export interface CompensationContext<Trigger = Event, Results = Readonly<Record<string, any>>, Result = any>
  extends ActionContext<Trigger, Results> {
  /** What the action returned; undefined when it is unknown whether the action took effect. */
  readonly result: Result | undefined;
  /** False when it is unknown whether the action took effect: it threw, timed out or was interrupted. */
  readonly certain: boolean;
  /** Why the saga is being compensated. */
  readonly reason: string;
}

/** An event that a step appends. evstore adds correlation id, causation id and an id derived from the idempotency key. */
export interface SagaEvent {
  readonly type: string;
  /** Any JSON value. */
  readonly data: unknown;
  readonly schemaVersion?: number;
}

export interface SagaAppendOptions {
  /** Default `any`. */
  readonly expectedVersion?: number | 'any' | 'none' | 'exists';
}
