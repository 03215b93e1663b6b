/**
 * What a reader passed while instances that may have waited for it had no code. A reader without their code records where
 * it begins to, in the stream `saga:NAME`; the next one that has it delivers these events before it reads on.
 */
import { activePhases } from '../domain/saga-phase.js';
import { newEventId } from '../domain/uuid.js';
import type { SagaCode, SagaStore } from '../store/store.js';
import { sagaCategory } from './events.js';
import type { SagaLog } from './log.js';

type GapLog = Pick<SagaLog, 'append' | 'readStream'>;

interface Code {
  readonly version: number;
  readonly definition: string;
}

/** Of the stream `saga:NAME`. */
export const gapEventTypes: readonly string[] = ['ReadWithoutCode', 'ReadAgain'];

/** Where readers without the code of a definition began; a definition that was read again has no gap. */
export class Gaps {
  readonly #log: GapLog;
  readonly #saga: string;
  readonly #open = new Map<string, Code & { readonly from: number }>();

  private constructor(log: GapLog, saga: string) {
    this.#log = log;
    this.#saga = saga;
  }

  static async load(log: GapLog, saga: string): Promise<Gaps> {
    const gaps = new Gaps(log, saga);
    for await (const { events } of log.readStream(sagaCategory(saga))) {
      for (const { type, data } of events) {
        const gap = JSON.parse(data) as Code & { readonly from: number };
        if (type === 'ReadAgain') gaps.#open.delete(placeOf(gap));
        else if (type === 'ReadWithoutCode' && !gaps.#open.has(placeOf(gap))) gaps.#open.set(placeOf(gap), gap);
      }
    }
    return gaps;
  }

  /** Returns after which position events have to be delivered again for this code; undefined for none. */
  startFor(codes: readonly SagaCode[]): number | undefined {
    const starts = codes.flatMap((code) => this.#open.get(placeOf(code))?.from ?? []);
    return starts.length === 0 ? undefined : Math.min(...starts);
  }

  /** Records that the events of these gaps were delivered. */
  async close(codes: readonly SagaCode[]): Promise<void> {
    for (const code of codes) {
      if (this.#open.delete(placeOf(code))) await this.#record('ReadAgain', toData(code));
    }
  }

  /** Records that a reader of this code begins at a position. Only a reader starts instances, so these are all it lacks. */
  async open(instances: Pick<SagaStore, 'count'>, codes: readonly SagaCode[], from: number): Promise<void> {
    const loaded = new Set(codes.map(placeOf));
    const active: readonly string[] = activePhases;
    for (const code of await instances.count(this.#saga)) {
      const place = placeOf(code);
      if (!active.includes(code.phase) || loaded.has(place) || this.#open.has(place)) continue;
      this.#open.set(place, { ...toData(code), from });
      await this.#record('ReadWithoutCode', { ...toData(code), from });
    }
  }

  async #record(type: string, data: Code & { readonly from?: number }): Promise<void> {
    const event = { id: newEventId(), type, schemaVersion: 1, data: JSON.stringify(data), metadata: '{}' };
    await this.#log.append(sagaCategory(this.#saga), [{ ...event, streamType: 'saga' }], 'any');
  }
}

function toData({ version, definition }: Code): Code {
  return { version, definition };
}

function placeOf({ version, definition }: Code): string {
  return `${version} ${definition}`;
}
