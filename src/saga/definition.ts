/**
 * Sagas as users write them. `defineSaga` gives its argument back, typed and marked; it is checked when it is loaded,
 * where the file and the export can be named. The result is recognised by shape, never by class, because the user's
 * file may load another copy of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data and results are whatever the user's events and steps hold.
import type { Event } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';

/** What a step is given to act with. */
export interface ActionContext {
  /** The event that started the saga. */
  readonly trigger: Event;
  /** Step name → what its action returned, for the steps before this one. */
  readonly results: Readonly<Record<string, any>>;
  /** `NAME/INSTANCE/STEP`: the same in every attempt. Pass it on, so that a repeated request acts once. */
  readonly idempotencyKey: string;
  /** From 1; more than 1 when an earlier attempt failed or was interrupted. */
  readonly attempt: number;
  /** Aborts when the time of the step is over. */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** Appends once, however often the step is repeated: see `SagaEvent`. */
  append(streamId: string, event: SagaEvent, options?: SagaAppendOptions): Promise<void>;
}

/** What a compensation is given to undo its step with. Its idempotency key is `NAME/INSTANCE/STEP/compensate`. */
export interface CompensationContext extends ActionContext {
  /** What the action returned; undefined when it is not known whether it went through. */
  readonly result: any;
  /** False when the action timed out or was interrupted: it may have gone through or not. */
  readonly certain: boolean;
  /** Why the saga is being undone. */
  readonly reason: string;
}

/** An event a step appends. Correlation id, causation id and an id derived from the idempotency key come with it. */
export interface SagaEvent {
  readonly type: string;
  /** Anything JSON can say. */
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
  /** `30s`, `5m` … How long one attempt may take. Default 5m. */
  readonly timeout?: string;
  /** How often an action or compensation that throws is tried again. Default 3. */
  readonly retries?: number;
  /** The wait before the first retry; it doubles, up to a minute. Default 200ms. */
  readonly backOff?: string;
  /**
   * Throws when it did not take effect. An action that runs out of time is not tried again: whether it took effect is
   * unknown, so it is compensated. What it returns is recorded as JSON.
   */
  readonly action: (context: ActionContext) => unknown;
  /** Undoes the action; must succeed when there is nothing to undo. */
  readonly compensate?: (context: CompensationContext) => unknown;
}

export interface SagaDefinition {
  /** Unique in the store; lower-case letters, digits and `_`, beginning with a letter, at most 63. */
  readonly name: string;
  /** From 1. An instance is driven by the version it was started with, and by no other. */
  readonly version: number;
  /** The event types that start an instance. */
  readonly startOn: string | readonly string[];
  /** RFC 3339. Events created before start nothing. Default: every event in the log does, however old. */
  readonly since?: string;
  /** Which instance an event starts: one instance per id, whatever starts it. Default: the stream id. */
  readonly id?: (event: Event) => string;
  /** Triggers of older schema versions go through these before the saga sees them. */
  readonly upcasters?: readonly Upcaster[];
  /** In order. */
  readonly steps: readonly SagaStep[];
}

export type Saga = SagaDefinition & { readonly kind: 'saga' };

export function defineSaga(definition: SagaDefinition): Saga {
  return { ...definition, kind: 'saga' };
}
