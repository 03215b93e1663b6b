/** Collects the findings of a check, by handler and event type. */
import type { RecordedEvent } from '../../domain/event.js';
import type { Impurity } from './impurity.js';

export interface CheckFault {
  readonly kind: 'error' | 'unstable' | 'mutation' | Impurity;
  /** The function at fault: `on.OrderPlaced`, `key`, `upcasters`. */
  readonly part: string;
  readonly type: string;
  readonly events: number;
  readonly firstPosition: number;
  /** Describes the first: a sentence without its subject. */
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

  /** Groups errors whatever their message, because it may name the event; other faults by message. */
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

  /** Sorted by position. */
  get faults(): readonly CheckFault[] {
    return [...this.#faults.values()].sort((a, b) => a.firstPosition - b.firstPosition);
  }

  /** Sorted by frequency. */
  get unhandled(): readonly UnhandledType[] {
    return [...this.#unhandled].map(([type, events]) => ({ type, events })).sort((a, b) => b.events - a.events);
  }

  /** Sorted by total time, the slowest first. */
  get handlers(): readonly HandlerTime[] {
    const times = [...this.#times].map(([type, { calls, totalMs }]) => {
      return { type, calls, totalMs: round(totalMs), meanMs: round(totalMs / calls) };
    });
    return times.sort((a, b) => b.totalMs - a.totalMs);
  }
}

/** Rounds to microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
