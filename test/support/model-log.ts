/** The log as a list in memory: slow, plain, and nothing of evstore's own logic in it. */
import type { ErrorCode } from '../../src/domain/errors.js';
import type { EventFilter, ExpectedVersion, NewEvent } from '../../src/domain/event.js';
import type { ImportedEvent } from '../../src/store/store.js';

export interface ModelEvent {
  readonly streamId: string;
  readonly version: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

export type ModelAnswer =
  | { readonly versions: readonly number[]; readonly deduplicated: boolean }
  | { readonly error: ErrorCode };

export class ModelLog {
  readonly events: ModelEvent[] = [];

  append(streamId: string, events: readonly NewEvent[], expected: ExpectedVersion): ModelAnswer {
    const actual = this.versionOf(streamId);
    const known = events.map(({ id }) => this.events.find((event) => event.id === id));
    const wanted = expected === 'none' ? 0 : expected;
    if (known.every((event) => event === undefined)) {
      const isMet = wanted === 'any' || (wanted === 'exists' ? actual > 0 : wanted === actual);
      if (!isMet) return { error: 'E_VERSION_CONFLICT' };
      const versions = events.map((event) => this.#add(streamId, event));
      return { versions, deduplicated: false };
    }
    const stored = known.filter((event) => event !== undefined);
    if (stored.length < events.length) return { error: 'E_PARTIAL_DUPLICATE' };
    const first = stored[0]?.version ?? 0;
    const isSame = stored.every(
      (event, index) =>
        event.streamId === streamId && event.version === first + index && isEqual(event, events[index] as NewEvent),
    );
    if (!isSame) return { error: 'E_ID_CONFLICT' };
    return { versions: stored.map(({ version }) => version), deduplicated: true };
  }

  importEvents(events: readonly ImportedEvent[], conflict: 'skip' | 'fail') {
    const result = { imported: 0, known: 0, skipped: 0, newStreams: 0 };
    const before = [...this.events];
    for (const event of events) {
      const stored = before.find(({ id }) => id === event.id);
      if (stored === undefined) {
        if (this.versionOf(event.streamId) === 0) result.newStreams++;
        this.#add(event.streamId, event);
        result.imported++;
      } else if (stored.streamId === event.streamId && isEqual(stored, event)) {
        result.known++;
      } else if (conflict === 'skip') {
        result.skipped++;
      } else {
        this.events.splice(0, this.events.length, ...before);
        return { error: 'E_ID_CONFLICT' as const };
      }
    }
    return result;
  }

  read({ streamId, category, types }: EventFilter): readonly ModelEvent[] {
    return this.events.filter(
      (event) =>
        (streamId === undefined || event.streamId === streamId) &&
        (category === undefined || event.streamId === category || event.streamId.startsWith(`${category}-`)) &&
        (types === undefined || types.includes(event.type)),
    );
  }

  versionOf(streamId: string): number {
    return this.events.filter((event) => event.streamId === streamId).length;
  }

  #add(streamId: string, { id, type, data }: NewEvent): number {
    const version = this.versionOf(streamId) + 1;
    this.events.push({ streamId, version, id, type, data });
    return version;
  }
}

function isEqual(stored: ModelEvent, event: NewEvent): boolean {
  return (
    stored.type === event.type && JSON.stringify(JSON.parse(stored.data)) === JSON.stringify(JSON.parse(event.data))
  );
}
