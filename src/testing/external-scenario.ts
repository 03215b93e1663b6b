/** Tests an external projection on the real system that it writes to, in its own target. */

import type { ExternalProjection, ExternalTarget } from '../projection/define/definition.js';
import {
  isExternalProjection,
  type PreparedExternalProjection,
  prepareProjection,
} from '../projection/define/prepare.js';
import { findShapeFaults } from '../projection/define/shape.js';
import { ExternalModel } from '../projection/external/external.js';
import { type GivenEvent, recordGiven } from './given.js';
import { isWanted } from './projection-scenario.js';

export interface ExternalScenario<Connection> {
  /** Adds events, in the order of the log. */
  given(...events: readonly GivenEvent[]): ExternalScenario<Connection>;
  /**
   * Opens the target `NAME__test` as a new one, writes the events twice, one batch per event, because a crash repeats
   * them, promotes the target, and calls `look` to assert its content. Then drops the target.
   */
  thenRead(look: (connection: Connection, target: ExternalTarget) => unknown): Promise<void>;
}

export function externalScenario<Connection>(projection: ExternalProjection<Connection>): ExternalScenario<Connection> {
  const [fault] = findShapeFaults(projection);
  if (fault !== undefined) throw new TypeError(fault);
  const prepared = prepareProjection(projection);
  if (!isExternalProjection(prepared)) throw new TypeError(`${projection.name} is not an external projection`);
  return new Scenario<Connection>(prepared, []);
}

class Scenario<Connection> implements ExternalScenario<Connection> {
  readonly #projection: PreparedExternalProjection;
  readonly #events: readonly GivenEvent[];

  constructor(projection: PreparedExternalProjection, events: readonly GivenEvent[]) {
    this.#projection = projection;
    this.#events = events;
  }

  given(...events: readonly GivenEvent[]): ExternalScenario<Connection> {
    return new Scenario(this.#projection, [...this.#events, ...events]);
  }

  async thenRead(look: (connection: Connection, target: ExternalTarget) => unknown): Promise<void> {
    const projection = this.#projection;
    const { signal } = new AbortController();
    const target = { name: `${projection.name}__test`, version: projection.version };
    const recorded = recordGiven(this.#events).filter((event) => isWanted(projection, event));
    const model = new ExternalModel({ projection, target, isNew: true, hold: async () => {}, signal });
    try {
      const connection = await model.open();
      const events = recorded.map((event) => model.toEvent(event));
      await model.write(events, { from: 0, to: events.at(-1)?.globalPosition ?? 0 });
      for (const event of events) {
        await model.write([event], { from: event.globalPosition - 1, to: event.globalPosition });
      }
      await model.promote(null);
      await look(connection as Connection, target);
    } finally {
      await model.close();
      await projection.definition.drop(target, { signal });
    }
  }
}
