/** Selects the inline projections of an append, and names their failures. */
import type { AppendRequest } from '../../domain/append-outcome.js';
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { categoryOf } from '../../domain/names.js';
import type { InlineProjection } from '../store.js';
import type { RawRow } from './rows.js';

/** Returns those with a handler for one of the events, by name: every append locks them in this order. */
export function selectInline(
  projections: readonly InlineProjection[],
  { streamId, events }: AppendRequest,
): readonly InlineProjection[] {
  return projections
    .filter((projection) => events.some(({ type }) => wantsEvent(projection, streamId, type)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the events that the projection has handlers for. */
export function selectWanted(projection: InlineProjection, events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return events.filter(({ streamId, type }) => wantsEvent(projection, streamId, type));
}

/** @param rows name, version and code hash of what is live */
export function isLive({ name, version, codeHash }: InlineProjection, rows: readonly RawRow[]): boolean {
  return rows.some(([live, ...code]) => live === name && `${code}` === `${[version, codeHash]}`);
}

/** Names the stream and the projection when it cannot process the events, or the database refuses what it wrote. */
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
