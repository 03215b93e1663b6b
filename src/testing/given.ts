/** The events that a scenario gets. */
import type { NewEvent, RecordedEvent } from '../domain/event.js';
import { writeJson } from '../domain/json-value.js';
import { categoryOf } from '../domain/names.js';
import type { NewDataOf } from '../domain/stored-events.js';
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

export interface GivenDetails<Version extends number = number>
  extends Partial<Pick<GivenEvent, 'metadata' | 'createdAt'>> {
  /** Default 1. */
  readonly schemaVersion?: Version;
}

/** The default time of a scenario's first event; the others follow one second apart. */
const firstMoment = Date.UTC(2026, 0, 1);

/** Makes an event of a scenario, with the data of its type and schema version. @param details metadata, schema version and time */
export function given<const Type extends string, const Version extends number = 1>(
  streamId: string,
  type: Type,
  data: NewDataOf<Type, Version>,
  details: GivenDetails<Version> = {},
): GivenEvent {
  return { streamId, type, data, metadata: {}, schemaVersion: 1, createdAt: '', ...details };
}

/** Returns events as a store would: positions and versions from 1, the same ids each time. */
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
    data: writeJson(data) ?? '',
    metadata: JSON.stringify(metadata),
    createdAt: createdAt === '' ? new Date(firstMoment + index * 1000).toISOString() : createdAt,
  };
}
