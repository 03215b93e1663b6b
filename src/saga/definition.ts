/**
 * Sagas as users write them. `defineSaga` returns its argument, typed and marked; it is checked when it is loaded, where
 * the file and the export can be named. A saga is recognised by its shape, because the user's file may load another copy
 * of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data and results are whatever the user's events and steps hold.
import type { Event } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';

/** What an action gets. */
export interface ActionContext {
  /** The event that started the saga. */
  readonly trigger: Event;
  /** Step name → what its action returned, for the steps before this one. */
  readonly results: Readonly<Record<string, any>>;
  /** `NAME/INSTANCE/STEP`, the same in every attempt. Pass it on, so that a repeated request takes effect once. */
  readonly idempotencyKey: string;
  /** From 1; more than 1 when an earlier attempt failed or was interrupted. */
  readonly attempt: number;
  /** Aborts when the step times out. */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** Appends the event once, even when the step is repeated. */
  append(streamId: string, event: SagaEvent, options?: SagaAppendOptions): Promise<void>;
}

/** What a compensation gets. Its idempotency key is `NAME/INSTANCE/STEP/compensate`. */
export interface CompensationContext extends ActionContext {
  /** What the action returned; undefined when it is unknown whether the action took effect. */
  readonly result: any;
  /** False when the action timed out or was interrupted: it may or may not have taken effect. */
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

export interface SagaStep {
  /** Unique in the saga; lower-case letters, digits, `_` and `-`, beginning with a letter. */
  readonly name: string;
  /** How long one attempt may take, e.g. `30s`. Default `5m`. */
  readonly timeout?: string;
  /** How often an action or compensation that throws is retried. Default 3. */
  readonly retries?: number;
  /** The delay before the first retry; it doubles each time, up to a minute. Default `200ms`. */
  readonly backOff?: string;
  /**
   * Throws when it did not take effect. An action that times out is not retried: it may have taken effect, so it is
   * compensated. Its result is recorded as JSON.
   */
  readonly action: (context: ActionContext) => unknown;
  /** Reverses the action; must succeed when there is nothing to reverse. */
  readonly compensate?: (context: CompensationContext) => unknown;
}

export interface SagaDefinition {
  /** Unique in the store; lower-case letters, digits and `_`, beginning with a letter, at most 63. */
  readonly name: string;
  /** From 1. Only the version that started an instance drives it. */
  readonly version: number;
  /** The event types that start an instance. */
  readonly startOn: string | readonly string[];
  /** RFC 3339. Older events do not start instances. Default: all events in the log do. */
  readonly since?: string;
  /** Returns the id of the instance that an event starts; there is one instance per id. Default: the stream id. */
  readonly id?: (event: Event) => string;
  /** Applied to triggers of older schema versions before the saga sees them. */
  readonly upcasters?: readonly Upcaster[];
  /** Takes the nearest JavaScript number for a fraction of more digits. Default false: reading one in a trigger throws. */
  readonly roundNumbers?: boolean;
  /** In order. */
  readonly steps: readonly SagaStep[];
}

export type Saga = SagaDefinition & { readonly kind: 'saga' };

export function defineSaga(definition: SagaDefinition): Saga {
  return { ...definition, kind: 'saga' };
}
