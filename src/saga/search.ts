/**
 * Looks in the log for events that came before instances waited for them. All searches that are asked for while one pass
 * over the log runs share the next pass.
 */
import { setImmediate } from 'node:timers/promises';
import type { RecordedEvent } from '../domain/event.js';
import { scanJson } from '../domain/json.js';
import { writeJson } from '../domain/json-value.js';
import { maxPayloadBytes } from '../domain/limits.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import type { SagaDefinition, WaitStep } from './definition.js';
import type { FactOf } from './events.js';
import type { SagaLog } from './log.js';
import { textsOf } from './validate.js';

export interface WaitQuery {
  readonly saga: SagaDefinition;
  readonly step: WaitStep;
  readonly key: string;
  /** A position of the log; exclusive. */
  readonly after: number;
  /** Ids of events that its waits received already. */
  readonly received: readonly string[];
}

export interface Found {
  /** The first in the order of the log. */
  readonly event: Event | undefined;
  /** How far the log was searched. */
  readonly upTo: number;
}

interface Waiting extends WaitQuery {
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

export class WaitSearch {
  readonly #log: Pick<SagaLog, 'readAll' | 'head'>;
  #waiting: Waiting[] = [];
  #isSearching = false;

  constructor(log: Pick<SagaLog, 'readAll' | 'head'>) {
    this.#log = log;
  }

  find(query: WaitQuery): Promise<Found> {
    const found = new Promise<Found>((resolve, reject) => this.#waiting.push({ ...query, resolve, reject }));
    if (!this.#isSearching) void this.#searchAll();
    return found;
  }

  async #searchAll(): Promise<void> {
    this.#isSearching = true;
    while (this.#waiting.length > 0) {
      // Lets the others that are due now join the pass.
      await setImmediate();
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#search(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isSearching = false;
  }

  async #search(group: readonly Waiting[]): Promise<void> {
    const { safeHead } = await this.#log.head();
    const open = new OpenQueries(group);
    const types = [...new Set(group.flatMap(({ step }) => textsOf(step.type)))];
    const after = Math.min(...group.map((each) => each.after));
    if (after < safeHead) {
      for await (const { events } of this.#log.readAll({ after, to: safeHead, types })) {
        for (const event of events) open.settle(event);
        if (open.isEmpty) return;
      }
    }
    open.giveUp(safeHead);
  }
}

/** Queries of one pass, by step and key, so that an event costs the same however many wait. */
class OpenQueries {
  readonly #byStep = new Map<WaitStep, Map<string, Waiting[]>>();
  readonly #open: Set<Waiting>;

  constructor(group: readonly Waiting[]) {
    this.#open = new Set(group);
    for (const each of group) {
      const byKey = this.#byStep.get(each.step) ?? new Map<string, Waiting[]>();
      this.#byStep.set(each.step, byKey);
      byKey.set(each.key, [...(byKey.get(each.key) ?? []), each]);
    }
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  settle(recorded: RecordedEvent): void {
    const { globalPosition, id } = recorded;
    for (const [step, byKey] of this.#byStep) {
      const [first] = byKey.values().next().value ?? [];
      const match = first && tryMatch(first.saga, step, recorded);
      for (const each of (match && byKey.get(match.key)) ?? []) {
        if (globalPosition <= each.after || each.received.includes(id) || !this.#open.delete(each)) continue;
        each.resolve({ event: match?.event, upTo: globalPosition });
      }
    }
  }

  giveUp(upTo: number): void {
    for (const { resolve, after } of this.#open) resolve({ event: undefined, upTo: Math.max(after, upTo) });
  }
}

/** An event that `match` cannot take matches nothing here. The process that reads the log finds it, too, and stops or parks it. */
function tryMatch(saga: SagaDefinition, step: WaitStep, recorded: RecordedEvent) {
  try {
    return matchOf(saga, step, recorded);
  } catch {
    return undefined;
  }
}

/**
 * Returns the key that an event belongs to; undefined when the step does not wait for it.
 * @throws what the user's `match` or upcaster throws
 */
export function matchOf(
  saga: SagaDefinition,
  step: WaitStep,
  recorded: RecordedEvent,
): { readonly key: string; readonly event: Event } | undefined {
  if (!textsOf(step.type).includes(recorded.type)) return undefined;
  const event = toEvent(recorded, saga);
  const key: unknown = step.match === undefined ? event.streamId : step.match(event);
  if (key === undefined || key === null) return undefined;
  if (typeof key !== 'string') throw new TypeError(`match returned a ${typeof key}, not a text`);
  return { key, event };
}

export function receivedBy(step: string, event: Event): FactOf<'EventReceived'> {
  const { id, type, streamId, globalPosition, data } = event;
  const named = { step, event: { id, type, streamId, globalPosition } };
  const whole = writeJson({ ...named, data }) ?? '';
  const fits = Buffer.byteLength(whole) <= maxPayloadBytes && scanJson(whole) === undefined;
  return { type: 'EventReceived', data: fits ? { ...named, data } : named };
}
