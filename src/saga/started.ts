/**
 * Instances that this process has started and that it does not drive yet: when it claims one that has not moved since, it
 * does not read again what it wrote.
 */
import type { Event } from '../projection/define/definition.js';
import type { SagaInstance } from './instance.js';

export interface Started {
  readonly instance: SagaInstance;
  readonly trigger: Event;
}

/** The most instances, and the largest trigger in characters of JSON, so that they take some megabytes at most. */
const mostInstances = 1_000;
const largestTrigger = 4_096;

export class StartedInstances {
  readonly #kept = new Map<string, Started>();

  /** @param size of the data of the trigger */
  keep(started: Started, size: number): void {
    if (size > largestTrigger) return;
    this.#kept.set(started.instance.state.instance, started);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostInstances) break;
      this.#kept.delete(oldest);
    }
  }

  /** Forgets it. Returns undefined when its stream is at another version. */
  take(instance: string, version: number): Started | undefined {
    const found = this.#kept.get(instance);
    this.#kept.delete(instance);
    return found?.instance.version === version ? found : undefined;
  }
}
