/**
 * Aggregates as users write them. `defineAggregate` returns its argument, typed and marked; it is checked when it is first
 * used, or loaded. An aggregate is recognised by its mark, because the user's file may load another copy of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold, and an aggregate of an unknown state takes any handler.
import type { HandledEvent } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';

/** What `decide` is told besides the state and the command. */
export interface DecisionContext {
  /** The id that `handle` was given. */
  readonly id: string;
  readonly streamId: string;
  /** Of the last event in the state; 0 for a stream without events. */
  readonly version: number;
}

/** An event that `decide` returns. Members that are left out get the defaults of `append`. */
export interface DecidedEvent<Type extends string = string> {
  readonly type: Type;
  /** Any JSON value. */
  readonly data: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** UUID. Default: a new one for each decision. One that is derived from the command makes a repeated command safe. */
  readonly id?: string;
  readonly schemaVersion?: number;
  /** RFC 3339, or a Date. */
  readonly createdAt?: string | Date;
}

/** What `decide` returns: any number of events, of types that `evolve` knows. None leaves the stream as it is. */
export type Decision<Type extends string = string> =
  | DecidedEvent<'*' extends Type ? string : Type>
  | readonly DecidedEvent<'*' extends Type ? string : Type>[]
  | null
  | undefined;

/**
 * The state after an event. Conditional, so that the compiler knows the state while it reads the function: otherwise a
 * literal in the new state would become a string.
 */
export type Evolve<State, Type extends string> = [State] extends [unknown]
  ? (state: NoInfer<State>, event: HandledEvent<Type>) => NoInfer<State>
  : never;

export interface AggregateDefinition<State = any, Command = never, Type extends string = any> {
  /** Unique in the store; lower-case letters, digits and `_`, beginning with a letter, at most 63. */
  readonly name: string;
  /** The part of its stream names before the first `-`: the aggregate `42` of category `Order` is the stream `Order-42`. */
  readonly category: string;
  /**
   * From 1. Change it whenever `initial`, `evolve` or what they use changes: snapshots of another version are not used. No
   * program can tell otherwise, and would continue from the state that the old code made.
   */
  readonly version: number;
  /**
   * Text that changes when the functions change, at most 200 characters, such as a hash that your build makes. Snapshots of
   * another text are not used.
   */
  readonly codeHash?: string;
  /** Events of older schema versions go through these before `evolve` sees them. */
  readonly upcasters?: readonly Upcaster[];
  /** Takes the nearest JavaScript number for a fraction of more digits. Default false: loading an event that has one throws. */
  readonly roundNumbers?: boolean;
  /** Returns the state of a stream without events; a new object each time. */
  readonly initial: () => State;
  /**
   * Event type → the state after the event. Pure: the same events always make the same state. `*` handles every type without
   * its own function; without `*`, such an event leaves the state as it is.
   */
  readonly evolve: {
    readonly [T in Type]: Evolve<State, T>;
  };
  /**
   * Returns the events that a command leads to, or throws to refuse it: `handle` throws the same error. It is called again,
   * on the new state, when another writer was faster.
   */
  readonly decide?: (state: NoInfer<State>, command: Command, context: DecisionContext) => Decision<NoInfer<Type>>;
  /**
   * With it, `load` begins at a snapshot, and `handle` stores one when it had to read `every` events or more. The state is
   * then what JSON can hold unchanged: no Date, Map, BigInt or undefined.
   */
  readonly snapshot?: { readonly every: number };
}

export type Aggregate<State = any, Command = never, Type extends string = any> = AggregateDefinition<
  State,
  Command,
  Type
> & { readonly kind: 'aggregate' };

export function defineAggregate<State, const Type extends string, Command = never>(
  definition: AggregateDefinition<State, Command, Type>,
): Aggregate<State, Command, Type> {
  return { ...definition, kind: 'aggregate' };
}
