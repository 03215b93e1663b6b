/**
 * Sagas as users write them: `defineSaga({…}).step(…).waitFor(…).sleep(…)`. Each call returns a new saga that knows the
 * results of the steps so far. It is checked when it is loaded, where the file and the export can be named. A saga is
 * recognised by its shape, because the user's file may load another copy of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data and results are whatever the user's events and steps hold.
import type { Event } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';
import type { ActionContext, CompensationContext, Recorded, StepContext } from './contexts.js';
import type { Classification } from './failures.js';

export interface SagaOptions<Type extends string = string> {
  /** Unique in the store; lower-case letters, digits and `_`, beginning with a letter, at most 63. */
  readonly name: string;
  /**
   * From 1. A running instance keeps the version that started it, so that the code of several versions may be loaded. New
   * instances get the highest. Change it with the steps.
   */
  readonly version: number;
  /** The event types that start an instance. */
  readonly startOn: Type | readonly Type[];
  /** RFC 3339. Older events do not start instances. Default: all events in the log do. */
  readonly since?: string;
  /** Returns the id of the instance that an event starts; there is one instance per id. Default: the stream id. */
  readonly id?: (event: Event<Type>) => string;
  /** Applied to events of older schema versions before the saga sees them. */
  readonly upcasters?: readonly Upcaster[];
  /** Takes the nearest JavaScript number for a fraction of more digits. Default false: reading one in an event throws. */
  readonly roundNumbers?: boolean;
  /** Tells what an error means that is no `NotApplied` and no `Final`. Default: `unknown`. */
  readonly classify?: (error: unknown) => Classification;
}

/** What a step with an action may have. */
export interface ActionOptions<Trigger, Results, Result> {
  /** How long one attempt may take, e.g. `30s`. Default `5m`. */
  readonly timeout?: string;
  /** How many times an action or compensation that throws is retried. Default 3. */
  readonly retries?: number;
  /** The delay before the first retry; it doubles each time, up to a minute. Default `200ms`. */
  readonly backOff?: string;
  /**
   * An action that throws or times out may have taken effect: it is retried with the same idempotency key, then
   * compensated. Throw `NotApplied` when it certainly took no effect, and `Final` when a retry is of no use. What it
   * returns is stored as JSON.
   */
  readonly action: (context: ActionContext<Trigger, Results>) => Result;
  /** Reverses the action; must succeed when there is nothing to reverse. */
  readonly compensate?: (context: CompensationContext<Trigger, Results, Recorded<Awaited<NoInfer<Result>>>>) => unknown;
}

export type OnTimeout = 'compensate' | 'continue';

/** What a step that waits for an event may have. */
export interface WaitOptions<Type extends string, Trigger, Results, Then extends OnTimeout = OnTimeout> {
  /** The event types that it waits for. */
  readonly type: Type | readonly Type[];
  /** Returns the key that an event belongs to; nothing for none. Default: its stream id. */
  readonly match?: (event: Event<Type>) => string | null | undefined;
  /** Returns the key under which the instance waits. Default: the id of the instance. */
  readonly key?: (context: StepContext<Trigger, Results>) => string;
  /** How long it waits, e.g. `3d`. Default: for ever. */
  readonly timeout?: string;
  /** Default `compensate`. After `continue` the result of the step is null. */
  readonly onTimeout?: Then;
}

/** A duration, or a function that returns a time (a Date or RFC 3339) or a duration. */
export type SleepTime<Trigger, Results> = string | ((context: StepContext<Trigger, Results>) => Date | string);

/** A step as the engine sees it. */
export type SagaStep = ActionStep | WaitStep | SleepStep;

export interface ActionStep extends ActionOptions<any, any, any> {
  readonly kind: 'action';
  /** Unique in the saga; lower-case letters, digits, `_` and `-`, beginning with a letter. */
  readonly name: string;
}

export interface WaitStep extends WaitOptions<any, any, any> {
  readonly kind: 'event';
  readonly name: string;
}

export interface SleepStep {
  readonly kind: 'sleep';
  readonly name: string;
  readonly time: SleepTime<any, any>;
}

/** A saga as the engine sees it. */
export interface SagaDefinition extends Omit<SagaOptions, 'id'> {
  readonly kind: 'saga';
  readonly id?: (event: any) => string;
  /** In order. */
  readonly steps: readonly SagaStep[];
}

/** The results of the steps before, and that of one more. */
export type WithResult<Results, Name extends string, Result> = Results & { readonly [Key in Name]: Result };

/** A saga, and the calls that add a step to it. */
export interface Saga<Type extends string = string, Results = Readonly<Record<string, any>>> extends SagaDefinition {
  /** Adds a step with an action, and its compensation. */
  step<const Name extends string, Result>(
    name: Name,
    options: ActionOptions<Event<Type>, Results, Result>,
  ): Saga<Type, WithResult<Results, Name, Recorded<Awaited<Result>>>>;
  /** Adds a step that waits for an event. Its result is the data of the event. */
  waitFor<const Name extends string, const Received extends string, const Then extends OnTimeout = 'compensate'>(
    name: Name,
    options: WaitOptions<Received, Event<Type>, Results, Then>,
  ): Saga<
    Type,
    WithResult<Results, Name, Then extends 'continue' ? Event<Received>['data'] | null : Event<Received>['data']>
  >;
  /** Adds a step that waits for a time. Its result is null. */
  sleep<const Name extends string>(
    name: Name,
    time: SleepTime<Event<Type>, Results>,
  ): Saga<Type, WithResult<Results, Name, null>>;
}

// biome-ignore lint/complexity/noBannedTypes: no results yet; a record would allow every name.
export function defineSaga<const Type extends string>(options: SagaOptions<Type>): Saga<Type, {}> {
  // biome-ignore lint/complexity/noBannedTypes: as above.
  return withSteps({ ...options, kind: 'saga', steps: [] }) as Saga<Type, {}>;
}

/** Returns a saga of these steps, whose calls add to them. */
export function withSteps(definition: SagaDefinition): Saga {
  const add = (step: SagaStep) => withSteps({ ...definition, steps: [...definition.steps, step] });
  return {
    ...definition,
    step: (name: string, options: ActionOptions<any, any, any>) => add({ ...options, kind: 'action', name }),
    waitFor: (name: string, options: WaitOptions<any, any, any>) => add({ ...options, kind: 'event', name }),
    sleep: (name: string, time: SleepTime<any, any>) => add({ kind: 'sleep', name, time }),
  } as Saga;
}
