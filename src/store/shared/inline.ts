/** Selects the inline projections of an append, and names their failures. */
import type { AppendRequest } from '../../domain/append-outcome.js';
import { mayWrite } from '../../domain/code-identity.js';
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { AppendResult, RecordedEvent } from '../../domain/event.js';
import { categoryOf } from '../../domain/names.js';
import type { AppendOptions, InlineProjection } from '../store.js';
import { type RawRow, toBoolean, toInteger, toText } from './rows.js';

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

/** What an append does with the inline projections that it is for. */
export interface InlineChoice {
  /** Code of this version, mode and definition made the live rows: the append writes them. */
  readonly current: readonly InlineProjection[];
  /** Other code made their live rows, or they run in parts. A projection whose tables are being swapped is in neither. */
  readonly others: readonly InlineProjection[];
}

/** @param rows columns as in lock-projections.sql */
export function chooseInline(projections: readonly InlineProjection[], rows: readonly RawRow[]): InlineChoice {
  const rowOf = ({ name }: InlineProjection) => rows.find((row) => row[0] === name);
  const isLive = (projection: InlineProjection) => {
    const [, version, codeHash] = rowOf(projection) ?? [];
    return version !== undefined && mayWrite({ version: toInteger(version), codeHash: toText(codeHash) }, projection);
  };
  const live = projections.filter(isLive);
  return {
    current: live.filter((projection) => !toBoolean(rowOf(projection)?.[3])),
    others: projections.filter((projection) => !live.includes(projection)),
  };
}

/**
 * Returns the names of those whose live rows other code made.
 * @throws E_STALE_PROJECTION when the append is to fail then
 */
export function findLeft(
  streamId: string,
  { others }: InlineChoice,
  { staleInline = 'leave' }: AppendOptions,
): readonly string[] {
  const left = others.map(({ name }) => name);
  const [first] = left;
  if (first === undefined || staleInline === 'leave') return left;
  throw new EvstoreError(
    'E_STALE_PROJECTION',
    `nothing was appended to ${streamId}: other code made the rows of ${first}`,
    {
      why: 'This program has another version or definition of it, or the projection runs in parts.',
      next: `evstore rebuild ${first}`,
      details: { streamId, projections: left },
    },
  );
}

/** @param left as `findLeft` returned it */
export function withLeft(result: AppendResult, left: readonly string[]): AppendResult {
  return left.length === 0 ? result : { ...result, inlineLeft: left };
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
