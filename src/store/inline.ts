/** What both drivers ask of projections that are applied in the transaction of an append. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { categoryOf } from '../domain/names.js';
import type { InlineProjection } from './event-log.js';

/** An event on its way: enough to know who wants it. */
interface Addressed {
  readonly streamId: string;
  readonly events: readonly { readonly type: string }[];
}

/** Those with a handler for one of the events, by name: everybody takes their locks in this order. */
export function selectInline(
  projections: readonly InlineProjection[],
  { streamId, events }: Addressed,
): readonly InlineProjection[] {
  return projections
    .filter((projection) => events.some(({ type }) => wantsEvent(projection, streamId, type)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Those of the events it has handlers for. */
export function selectWanted(projection: InlineProjection, events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return events.filter(({ streamId, type }) => wantsEvent(projection, streamId, type));
}

/** A projection cannot take the events, or the database refuses what it wrote: the append is off. */
export function refusedAppend(streamId: string, projection: string, error: unknown): unknown {
  if (!isEvstoreError(error) || error.code !== 'E_HANDLER') return error;
  const { globalPosition: _, version: _version, ...details } = error.details;
  return new EvstoreError('E_HANDLER', `nothing was appended to ${streamId}: projection ${projection} failed`, {
    why: error.why ?? `${error.message}.`,
    details: { ...details, projection, streamId },
    cause: error.cause ?? error,
  });
}

function wantsEvent({ filter: { category, types } }: InlineProjection, streamId: string, type: string): boolean {
  if (category !== undefined && categoryOf(streamId) !== category) return false;
  return types === undefined || types.includes(type);
}
