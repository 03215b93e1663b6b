/** The part of the log that sagas use, and the append of a step, which takes effect once. */
import { checkExpectedVersion, checkJson, checkMembers, checkText, checkWholeNumber } from '../domain/arguments.js';
import { isEvstoreError } from '../domain/errors.js';
import type { NewEvent } from '../domain/event.js';
import { derivedId } from '../domain/uuid.js';
import { validateAppend } from '../domain/validate.js';
import type { EventLog } from '../store/store.js';
import type { SagaAppendOptions, SagaEvent } from './contexts.js';

export type SagaLog = Pick<EventLog, 'append' | 'readStream' | 'readAll' | 'find' | 'head'>;

export interface Causes {
  readonly correlationId: string;
  /** The event that announced the act. */
  readonly causationId: string;
}

export type AppendOnce = (streamId: string, event: SagaEvent, options?: SagaAppendOptions) => Promise<void>;

const sagaEvent = { type: checkText, data: checkJson, schemaVersion: checkWholeNumber(1) };

/**
 * Returns the `append` of one attempt. The n-th event of a type that it appends to a stream has the same id in every
 * attempt, so a repeated attempt finds it there, even when its data differs now.
 */
export function appendOnceAs(
  idempotencyKey: string,
  log: Pick<SagaLog, 'append' | 'find'>,
  causes: Causes,
): AppendOnce {
  const counts = new Map<string, number>();
  return async (streamId, event, options = {}) => {
    checkText(streamId, 'streamId');
    const { type = '', data = '', schemaVersion = 1 } = checkMembers(event, 'event', sagaEvent);
    const { expectedVersion = 'any' } = checkMembers(options, 'options', { expectedVersion: checkExpectedVersion });
    const place = JSON.stringify([idempotencyKey, streamId, type]);
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    const made: NewEvent = {
      id: derivedId(`${place}#${count}`),
      type,
      schemaVersion,
      data,
      metadata: JSON.stringify(causes),
    };
    const events = validateAppend(streamId, [made], expectedVersion, { allowLarge: true });
    try {
      await log.append(streamId, events, expectedVersion);
    } catch (error) {
      if (!(await isThereAlready(log, error, made.id))) throw error;
    }
  };
}

/** Returns whether an earlier attempt appended the event; its causation id and data may differ. */
async function isThereAlready(log: Pick<SagaLog, 'find'>, error: unknown, id: string): Promise<boolean> {
  if (!isEvstoreError(error) || !['E_ID_CONFLICT', 'E_VERSION_CONFLICT'].includes(error.code)) return false;
  return (await log.find(id)) !== undefined;
}
