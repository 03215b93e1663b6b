/** Checks the arguments of the library, and makes of events what a store takes. */
import {
  checkBoolean,
  checkCondition,
  checkExpectedVersion,
  checkJson,
  checkList,
  checkMembers,
  checkObject,
  checkOneOf,
  checkSignal,
  checkText,
  checkTime,
  checkWholeNumber,
} from '../domain/arguments.js';
import { EvstoreError } from '../domain/errors.js';
import type { NewEvent } from '../domain/event.js';
import { newEventId } from '../domain/uuid.js';
import type { Projection } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';

/** The longest that a timer of Node.js, and a setting of Postgres in milliseconds, can be. */
const longestTimeoutMs = 2_147_483_647;

const position = checkWholeNumber(0);
const version = checkWholeNumber(1);
export const streamRange = {
  ...{ fromVersion: version, toVersion: version, backwards: checkBoolean, limit: position },
  text: checkBoolean,
};
export const logFilter = {
  streamId: checkText,
  category: checkText,
  categories: checkList(checkText),
  types: checkList(checkText),
  since: checkTime,
  until: checkTime,
  correlationId: checkText,
  causationId: checkText,
  where: checkCondition,
};
export const logRange = {
  ...{ ...logFilter, after: position, to: position, backwards: checkBoolean, limit: position },
  text: checkBoolean,
};
export const subscribeOptions = { ...logFilter, after: position, signal: checkSignal };
export const openOptions = {
  schema: checkText,
  create: checkBoolean,
  readOnly: checkBoolean,
  applicationName: checkText,
  upcasters: checkList((each) => each as Upcaster),
  roundNumbers: checkBoolean,
  projections: checkList((each) => each as Projection),
  staleInline: checkOneOf('warn', 'fail'),
};
export const appendCondition = {
  expectedVersion: checkExpectedVersion,
  streamType: checkText,
  correlationId: checkText,
  causationId: checkText,
  allowLarge: checkBoolean,
  timeoutMs: checkWholeNumber(0, longestTimeoutMs),
};
const { expectedVersion: _, ...handleCondition } = appendCondition;
export const handleOptions = { ...handleCondition, attempts: version };

/** A condition that was checked: see `appendCondition`. */
export type CheckedCondition = Partial<{
  [Name in keyof typeof appendCondition]: ReturnType<(typeof appendCondition)[Name]>;
}>;

const eventInput = {
  type: checkText,
  data: checkJson,
  metadata: checkMetadata,
  id: checkText,
  schemaVersion: version,
  createdAt: checkTime,
};
/** An event that was read may be appended again: its place is that of the stream it came from. */
const placeOfEvent = ['globalPosition', 'streamId', 'version', 'streamType'];

/** @param name how errors name the event @param prefix what they put before the name of its members */
export function toNewEvent(input: unknown, name: string, prefix: string, condition: CheckedCondition): NewEvent {
  const event = checkMembers(input, name, eventInput, { prefix, ignored: placeOfEvent });
  const { type, data, id = newEventId(), schemaVersion = 1, createdAt } = event;
  for (const [member, value] of Object.entries({ type, data })) {
    if (value === undefined) throw new EvstoreError('E_INVALID_INPUT', `${prefix}${member} is missing`);
  }
  const { correlationId, causationId, streamType } = condition;
  const added = {
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
  };
  const metadata = checkJson({ ...added, ...event.metadata }, `${prefix}metadata`);
  return {
    ...{ id, type: type as string, schemaVersion, data: data as string, metadata },
    ...(streamType !== undefined && { streamType }),
    ...(createdAt !== undefined && { createdAt }),
  };
}

/** A Map has no members, and would be lost. */
function checkMetadata(value: unknown, name: string): Readonly<Record<string, unknown>> {
  checkJson(value, name);
  return { ...checkObject(value, name) };
}
