/**
 * Reactions as users write them: events in, events out. `defineReaction` returns its argument, typed and marked; it is
 * checked when it is loaded, where the file and the export can be named. A reaction is recognised by its shape, because the
 * user's file may load another copy of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold, and a reaction of unknown types takes any.
import type { EventType, Handler } from '../domain/stored-events.js';
import type { Event, StoredEvent } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';

/** What `react` gets with the event. */
export interface ReactionContext {
  /** Aborts when `react` takes longer than `timeout`, and when the process is told to stop. */
  readonly signal: AbortSignal;
  /** The correlation id that the appended events get. */
  readonly correlationId: string;
  /** How many reactions led to the event: 0 for one that no reaction appended. */
  readonly hops: number;
  /** Reads a stream, oldest event first. */
  readStream(streamId: string): AsyncIterable<StoredEvent>;
}

/**
 * An event that a reaction appends. evstore adds an id, which is the same in every attempt, and metadata: `causationId` is
 * the id of the event it reacts to, `correlationId` and `sagaId` are those of that event.
 */
export interface ReactionEvent {
  readonly streamId: string;
  readonly type: EventType;
  /** Any JSON value. */
  readonly data: unknown;
  /** Added to the metadata. A `correlationId` or `sagaId` here replaces the one that is carried over. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Default 1. */
  readonly schemaVersion?: number;
  /** Default `any`. When another version is found, the event is not handled, as when `react` throws. */
  readonly expectedVersion?: number | 'any' | 'none' | 'exists';
}

/** What `react` returns: one event, several in the order in which they are appended, or nothing. */
export type ReactionResult = ReactionEvent | readonly ReactionEvent[] | null | undefined;

export interface ReactionDefinition<Type extends string = any> {
  /** Unique in the store; lower-case letters, digits and `_`, beginning with a letter, at most 63. */
  readonly name: string;
  /** From 1. Default 1. Shown with the checkpoint; events that were handled are not handled again by another version. */
  readonly version?: number;
  /** The event types it reacts to. */
  readonly on: Type | readonly Type[];
  /** Only events of streams `CATEGORY` or `CATEGORY-…`. */
  readonly category?: string;
  /** RFC 3339. Older events are passed over. Default: it reacts to all events in the log. */
  readonly since?: string;
  /** Applied to events of older schema versions. */
  readonly upcasters?: readonly Upcaster[];
  /** Takes the nearest JavaScript number for a fraction of more digits. Default false: reading one throws. */
  readonly roundNumbers?: boolean;
  /** How long one call of `react` may take, e.g. `30s`. Default `5m`. */
  readonly timeout?: string;
  /**
   * How many reactions may lead from one event to the next before the reaction refuses to append more. It ends loops of
   * reactions that trigger each other. Default 25.
   */
  readonly maxHops?: number;
  /**
   * Returns the events to append, or a promise of them. They are appended once each, in order: when a process dies after
   * some of them, the next one calls `react` again, and what was appended stays as it is, even if `react` returns something
   * different now.
   */
  readonly react: Handler<
    [event: { readonly [T in Type]: Event<T> }[Type], context: ReactionContext],
    // biome-ignore lint/suspicious/noConfusingVoidType: a function that appends nothing may end without a return.
    ReactionResult | void | Promise<ReactionResult | void>
  >;
}

export type Reaction<Type extends string = any> = ReactionDefinition<Type> & { readonly kind: 'reaction' };

export function defineReaction<const Type extends EventType>(definition: ReactionDefinition<Type>): Reaction<Type> {
  return { ...definition, kind: 'reaction' };
}
