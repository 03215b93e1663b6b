/** What a check of a projection found, added up by handler and event type. */
import type { RecordedEvent } from '../../domain/event.js';
import type { Impurity } from './impurity.js';

export interface CheckFault {
  readonly kind: 'error' | 'unstable' | 'mutation' | Impurity;
  /** Whose: `on.OrderPlaced`, `key`, `upcasters`. */
  readonly part: string;
  readonly type: string;
  readonly events: number;
  readonly firstPosition: number;
  /** Of the first: one sentence without its subject. */
  readonly message: string;
}

export interface UnhandledType {
  readonly type: string;
  readonly events: number;
}

export interface HandlerTime {
  readonly type: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly meanMs: number;
}

export class CheckFindings {
  readonly #faults = new Map<string, CheckFault>();
  readonly #unhandled = new Map<string, number>();
  readonly #times = new Map<string, { calls: number; totalMs: number }>();

  /** By what was used, and otherwise whatever the message: it may name the event. */
  addFault(kind: CheckFault['kind'], part: string, { type, globalPosition }: RecordedEvent, message: string): void {
    const place = JSON.stringify([kind, part, type, kind === 'error' ? '' : message]);
    const { events = 0, ...first } = this.#faults.get(place) ?? { firstPosition: globalPosition, message };
    this.#faults.set(place, { kind, part, type, ...first, events: events + 1 });
  }

  addUnhandled(type: string): void {
    this.#unhandled.set(type, (this.#unhandled.get(type) ?? 0) + 1);
  }

  addTime(type: string, ms: number): void {
    const { calls, totalMs } = this.#times.get(type) ?? { calls: 0, totalMs: 0 };
    this.#times.set(type, { calls: calls + 1, totalMs: totalMs + ms });
  }

  /** By position. */
  get faults(): readonly CheckFault[] {
    return [...this.#faults.values()].sort((a, b) => a.firstPosition - b.firstPosition);
  }

  /** The most frequent first. */
  get unhandled(): readonly UnhandledType[] {
    return [...this.#unhandled].map(([type, events]) => ({ type, events })).sort((a, b) => b.events - a.events);
  }

  /** The one that took longest in all first. */
  get handlers(): readonly HandlerTime[] {
    const times = [...this.#times].map(([type, { calls, totalMs }]) => {
      return { type, calls, totalMs: round(totalMs), meanMs: round(totalMs / calls) };
    });
    return times.sort((a, b) => b.totalMs - a.totalMs);
  }
}

/** To microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
