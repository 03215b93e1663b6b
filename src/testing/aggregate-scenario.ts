/** Tests an aggregate with the fold that runs it in production. */
import { deepStrictEqual, fail, ok } from 'node:assert/strict';
import type { Aggregate } from '../aggregate/definition.js';
import { evolveState } from '../aggregate/evolve.js';
import { describeFault } from '../aggregate/keep-snapshot.js';
import { makeInitial, type PreparedAggregate, prepareAggregate } from '../aggregate/prepare.js';
import { StateFault, writeState } from '../aggregate/state-json.js';
import { categoryOf } from '../domain/names.js';
import { type GivenEvent, given, recordGiven } from './given.js';

export interface AggregateScenario<State, Command> {
  /** Adds events of one stream. */
  given(...events: readonly GivenEvent[]): AggregateScenario<State, Command>;
  /** Decides on a command, on the state of the events that were given. */
  when(command: Command): DecidedScenario<State>;
  /**
   * Asserts the state. With `snapshot` in the definition, also that JSON keeps it as it is.
   * @throws AssertionError with the difference
   */
  thenState(expected: State): void;
}

/** What a command led to. */
export interface DecidedScenario<State> {
  /**
   * Asserts what was decided, in order. Members that an expected event leaves out are ignored. Not named `then`, because an
   * object with a `then` is taken for a promise.
   * @throws AssertionError with the difference
   */
  thenEvents(expected: readonly ExpectedEvent[]): void;
  /** Asserts that `decide` threw: an error of this class, or with this text in its message. */
  thenThrows(expected?: string | RegExp | (abstract new (...given: never[]) => unknown)): void;
  /** Asserts the state after the events that were decided. */
  thenState(expected: State): void;
}

export interface ExpectedEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly schemaVersion?: number;
}

export function aggregateScenario<State, Command>(
  aggregate: Aggregate<State, Command>,
): AggregateScenario<State, Command> {
  return new Scenario<State, Command>(prepareAggregate(aggregate), []);
}

class Scenario<State, Command> implements AggregateScenario<State, Command> {
  readonly #aggregate: PreparedAggregate;
  readonly #events: readonly GivenEvent[];

  constructor(aggregate: PreparedAggregate, events: readonly GivenEvent[]) {
    this.#aggregate = aggregate;
    this.#events = events;
  }

  given(...events: readonly GivenEvent[]): AggregateScenario<State, Command> {
    const all = [...this.#events, ...events];
    const { name, category } = this.#aggregate;
    for (const { streamId } of all) {
      if (streamId !== all[0]?.streamId) throw new TypeError(`${name} has one stream, not ${streamId} as well`);
      if (categoryOf(streamId) !== category) throw new TypeError(`${streamId} is not a stream of ${category}`);
    }
    return new Scenario(this.#aggregate, all);
  }

  when(command: Command): DecidedScenario<State> {
    return new Decided<State>(this.#aggregate, this.#events, command);
  }

  thenState(expected: State): void {
    deepStrictEqual(foldGiven(this.#aggregate, this.#events), expected);
  }
}

class Decided<State> implements DecidedScenario<State> {
  readonly #aggregate: PreparedAggregate;
  readonly #given: readonly GivenEvent[];
  readonly #decided: { readonly events: readonly ExpectedEvent[] } | { readonly error: unknown };
  readonly #streamId: string;

  constructor(aggregate: PreparedAggregate, events: readonly GivenEvent[], command: unknown) {
    this.#aggregate = aggregate;
    this.#given = events;
    const { category, definition } = aggregate;
    this.#streamId = events[0]?.streamId ?? `${category}-1`;
    if (definition.decide === undefined) throw new TypeError(`${aggregate.name} has no decide`);
    const context = {
      id: this.#streamId.slice(category.length + 1),
      streamId: this.#streamId,
      version: events.length,
    };
    const state = foldGiven(aggregate, events);
    try {
      const decision: unknown = definition.decide(state, command as never, context);
      this.#decided = { events: (decision === null || decision === undefined ? [] : [decision].flat()) as [] };
    } catch (error) {
      this.#decided = { error };
    }
  }

  thenEvents(expected: readonly ExpectedEvent[]): void {
    const events = this.#events();
    const seen = recordGiven(this.#asGiven(events)).map(({ type, data, metadata, schemaVersion }, index) => {
      const all = { type, data: JSON.parse(data), metadata: JSON.parse(metadata), schemaVersion };
      const wanted = Object.keys(expected[index] ?? { type, data });
      return Object.fromEntries(Object.entries(all).filter(([member]) => wanted.includes(member)));
    });
    deepStrictEqual(seen, expected);
  }

  thenThrows(expected?: string | RegExp | (abstract new (...given: never[]) => unknown)): void {
    if (!('error' in this.#decided)) fail('decide threw nothing');
    const { error } = this.#decided;
    if (expected === undefined) return;
    if (typeof expected === 'function') {
      ok(error instanceof expected, `decide threw ${String(error)}`);
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    const isMet = typeof expected === 'string' ? message.includes(expected) : expected.test(message);
    ok(isMet, `decide threw '${message}', not ${String(expected)}`);
  }

  thenState(expected: State): void {
    deepStrictEqual(foldGiven(this.#aggregate, [...this.#given, ...this.#asGiven(this.#events())]), expected);
  }

  #events(): readonly ExpectedEvent[] {
    if ('error' in this.#decided) throw this.#decided.error;
    return this.#decided.events;
  }

  #asGiven(events: readonly ExpectedEvent[]): readonly GivenEvent[] {
    return events.map(({ type, data, metadata = {}, schemaVersion = 1 }) =>
      given(this.#streamId, type, data, { metadata, schemaVersion }),
    );
  }
}

function foldGiven(aggregate: PreparedAggregate, events: readonly GivenEvent[]): unknown {
  let state = makeInitial(aggregate.definition);
  for (const event of recordGiven(events)) state = evolveState(aggregate, state, event);
  if (aggregate.every === undefined) return state;
  try {
    writeState(state);
  } catch (error) {
    if (error instanceof StateFault) fail(describeFault(aggregate.name, error));
    throw error;
  }
  return state;
}
