/** Tests a reaction with the code that runs it in production, without a store. */
import { deepStrictEqual } from 'node:assert/strict';
import type { EventBatch, RecordedEvent } from '../domain/event.js';
import { parseJson } from '../domain/json-value.js';
import type { Reaction } from '../reaction/definition.js';
import { planReaction } from '../reaction/react.js';
import { isHandledBy } from '../reaction/run.js';
import { checkReaction } from '../reaction/validate.js';
import { type GivenEvent, recordGiven } from './given.js';

export interface ReactionScenario {
  /** Adds events that are in the log already: the reaction may read their streams, and is not called for them. */
  given(...events: readonly GivenEvent[]): ReactionScenario;
  /** Adds events to react to, in the order of the log. */
  when(...events: readonly GivenEvent[]): ReactionScenario;
  /** Returns what the reaction appends, in order. @throws what `react` throws, with the event named */
  appended(): Promise<readonly AppendedByReaction[]>;
  /**
   * Asserts what the reaction appends; nothing without arguments. Members that an expected event leaves out are ignored.
   * @throws AssertionError with the difference
   */
  thenAppends(...expected: readonly Partial<AppendedByReaction>[]): Promise<void>;
}

export interface AppendedByReaction {
  readonly streamId: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: data is whatever the reaction appends.
  readonly data: any;
  /** With what evstore adds: `correlationId`, `causationId`, `reaction`, `reactionHops`. */
  // biome-ignore lint/suspicious/noExplicitAny: metadata is whatever the reaction adds.
  readonly metadata: Readonly<Record<string, any>>;
  readonly schemaVersion: number;
  readonly expectedVersion: number | 'any' | 'none' | 'exists';
}

export function reactionScenario(reaction: Reaction): ReactionScenario {
  return new Scenario(checkReaction(reaction), [], []);
}

class Scenario implements ReactionScenario {
  readonly #reaction: Reaction;
  readonly #given: readonly GivenEvent[];
  readonly #when: readonly GivenEvent[];

  constructor(reaction: Reaction, before: readonly GivenEvent[], when: readonly GivenEvent[]) {
    this.#reaction = reaction;
    this.#given = before;
    this.#when = when;
  }

  given(...events: readonly GivenEvent[]): ReactionScenario {
    return new Scenario(this.#reaction, [...this.#given, ...events], this.#when);
  }

  when(...events: readonly GivenEvent[]): ReactionScenario {
    return new Scenario(this.#reaction, this.#given, [...this.#when, ...events]);
  }

  async appended(): Promise<readonly AppendedByReaction[]> {
    const events = recordGiven([...this.#given, ...this.#when]);
    const log = { readStream: (streamId: string) => readStream(events, streamId) };
    const appended: AppendedByReaction[] = [];
    for (const event of events.slice(this.#given.length)) {
      if (!isHandledBy(this.#reaction, event)) continue;
      for (const planned of await planReaction(this.#reaction, event, log, new AbortController().signal)) {
        const { type, schemaVersion, data, metadata } = planned.event;
        appended.push({
          ...{ streamId: planned.streamId, type, schemaVersion, expectedVersion: planned.expected },
          data: parseJson(data),
          metadata: parseJson(metadata) as AppendedByReaction['metadata'],
        });
      }
    }
    return appended;
  }

  async thenAppends(...expected: readonly Partial<AppendedByReaction>[]): Promise<void> {
    const appended = await this.appended();
    deepStrictEqual(
      appended.map((event, index) => pick(event, expected[index] ?? short(event))),
      expected,
    );
  }
}

async function* readStream(events: readonly RecordedEvent[], streamId: string): AsyncGenerator<EventBatch> {
  const found = events.filter((event) => event.streamId === streamId);
  const last = found.at(-1);
  if (last !== undefined) yield { events: found, upTo: last.version };
}

function pick(event: AppendedByReaction, like: Partial<AppendedByReaction>): Partial<AppendedByReaction> {
  const members = Object.keys(like) as (keyof AppendedByReaction)[];
  return Object.fromEntries(members.map((member) => [member, event[member]]));
}

/** What a difference shows of an event that was not expected. */
function short({ streamId, type, data }: AppendedByReaction): Partial<AppendedByReaction> {
  return { streamId, type, data };
}
