/**
 * Decides which events and rows belong to a part, and which projections can be divided. Each row has one writer, which gets
 * its events in order, whatever streams they are from.
 */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { isInPart, type Part } from '../../domain/parts.js';
import { modeOf } from '../../domain/projection-mode.js';
import type { ProjectionRecord } from '../../store/store.js';
import { type RowKey, toRowKeys, writeKey } from '../define/columns.js';
import type { PreparedProjection, PreparedTableProjection } from '../define/prepare.js';
import { isTableProjection } from '../define/prepare.js';

/** @throws E_CONFIG with the reason */
export function assertCanDivide(projection: PreparedProjection): void {
  const why = whyWhole(projection);
  if (why === undefined) return;
  const next = `evstore run ${projection.name}`;
  throw new EvstoreError('E_CONFIG', `projection ${projection.name} cannot be divided`, { why, next });
}

/**
 * Appends may have marked events beyond the checkpoint for the runner to skip, and parts cannot share these marks.
 * @throws E_CONFIG
 */
export function assertNotInline({ name, codeHash }: ProjectionRecord): void {
  if (modeOf(codeHash) !== 'inline') return;
  throw new EvstoreError('E_CONFIG', `projection ${name} cannot be divided`, {
    why: 'Appends wrote the live rows.',
    next: `evstore rebuild ${name}`,
  });
}

function whyWhole(projection: PreparedProjection): string | undefined {
  if (projection.mode === 'inline')
    return 'Appends write its rows; its runner only applies the events that appends leave out.';
  if (isTableProjection(projection)) return whyMoreThanKey(projection);
  const { definition } = projection;
  if (definition.kind === 'sql' && definition.partitionBy === 'stream') return undefined;
  if (definition.kind === 'external') return 'Its rows are outside this store, and one process at a time writes them.';
  return (
    'Its statements may change one row for events of several streams. ' +
    "If no row is made from more than one stream, state partitionBy: 'stream' in the definition."
  );
}

/** Why the parts cannot write their rows in any order; undefined when they can. */
export function whyMoreThanKey({ shape }: PreparedTableProjection): string | undefined {
  const { indexes, key } = shape.spec;
  const unique = indexes.find((index) => index.unique && !key.every((column) => index.columns.includes(column)));
  if (unique === undefined) return undefined;
  return `A value of its unique index on ${unique.columns.join(', ')} may move between rows of two parts, which write in any order.`;
}

/** Returns false for an event that changes no row of the part, if that can be told without its payload. */
export function mayConcern(projection: PreparedProjection, { streamId }: RecordedEvent, part: Part): boolean {
  if (!isTableProjection(projection)) return isInPart(streamId, part);
  if (projection.definition.key !== undefined) return true;
  try {
    return toRowKeys(projection.shape, streamId).some((key) => isOwnKey(key, part));
  } catch {
    // The stream id is not a valid key: the fold throws the error that names the event.
    return true;
  }
}

export function isOwnKey(key: RowKey, part: Part): boolean {
  return part.of === 1 || isInPart(writeKey(key), part);
}
