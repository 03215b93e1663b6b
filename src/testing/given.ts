/** Events as a scenario is given them. */
import type { NewEvent, RecordedEvent } from '../domain/event.js';
import { categoryOf } from '../domain/names.js';
import { derivedId } from '../domain/uuid.js';
import { validateAppend } from '../domain/validate.js';

export interface GivenEvent {
  readonly streamId: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** From 1. */
  readonly schemaVersion: number;
  /** RFC 3339. */
  readonly createdAt: string;
}

export type GivenDetails = Partial<Pick<GivenEvent, 'metadata' | 'schemaVersion' | 'createdAt'>>;

/** When the first event of a scenario happens, unless it says; the others follow a second apart. */
const firstMoment = Date.UTC(2026, 0, 1);

/** An event of a scenario. @param details metadata, the version of its shape, and when it happened */
export function given(streamId: string, type: string, data: unknown, details: GivenDetails = {}): GivenEvent {
  return { streamId, type, data, metadata: {}, schemaVersion: 1, createdAt: '', ...details };
}

/** As a store would give them back: positions and versions from 1, the same ids each time. */
export function recordGiven(events: readonly GivenEvent[]): RecordedEvent[] {
  const versions = new Map<string, number>();
  return events.map((event, index) => {
    const version = (versions.get(event.streamId) ?? 0) + 1;
    versions.set(event.streamId, version);
    const [valid] = validateAppend(event.streamId, [toNewEvent(event, index)], 'any', { allowLarge: true });
    const { createdAt = '', ...rest } = valid as NewEvent;
    return {
      ...rest,
      createdAt,
      globalPosition: index + 1,
      streamId: event.streamId,
      streamType: categoryOf(event.streamId),
      version,
    };
  });
}

export function toNewEvent(event: GivenEvent, index: number): NewEvent {
  const { streamId, type, data, metadata, schemaVersion, createdAt } = event;
  return {
    id: derivedId(`${index} ${streamId} ${type}`),
    type,
    schemaVersion,
    data: JSON.stringify(data) ?? '',
    metadata: JSON.stringify(metadata),
    createdAt: createdAt === '' ? new Date(firstMoment + index * 1000).toISOString() : createdAt,
  };
}
