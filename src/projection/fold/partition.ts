/**
 * Which events and rows are a part's own, and which projections can be divided at all: each row has one writer, and its
 * events come to it in order whatever streams they are from.
 */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { isInPart, type Part } from '../../domain/parts.js';
import { modeOf } from '../../domain/projection-mode.js';
import type { ProjectionRecord } from '../../store/store.js';
import { type RowKey, toRowKeys, writeKey } from '../define/columns.js';
import type { PreparedProjection, PreparedTableProjection } from '../define/prepare.js';
import { isTableProjection } from '../define/prepare.js';

/** @throws E_CONFIG saying why it cannot */
export function assertCanDivide(projection: PreparedProjection): void {
  const why = whyWhole(projection);
  if (why === undefined) return;
  const next = `evstore run ${projection.name}`;
  throw new EvstoreError('E_CONFIG', `projection ${projection.name} cannot be divided`, { why, next });
}

/**
 * Appends may have marked events beyond the checkpoint for the runner to pass over, and parts could not share the marks.
 * @throws E_CONFIG
 */
export function assertNotInline({ name, codeHash }: ProjectionRecord): void {
  if (modeOf(codeHash) !== 'inline') return;
  throw new EvstoreError('E_CONFIG', `projection ${name} cannot be divided`, {
    why: 'The rows that are live now were written by appends.',
    next: `evstore rebuild ${name}`,
  });
}

function whyWhole(projection: PreparedProjection): string | undefined {
  if (projection.mode === 'inline')
    return 'Its rows are written by appends; its runner only fills in what they leave out.';
  if (isTableProjection(projection)) return whyMoreThanKey(projection);
  const { definition } = projection;
  if (definition.kind === 'sql' && definition.partitionBy === 'stream') return undefined;
  if (definition.kind === 'external') return 'Its rows are outside this store, where one process writes at a time.';
  return (
    'Events of different streams may meet in one row, and only its author knows. ' +
    "Where no row is of more than one stream, say so in the definition: partitionBy: 'stream'."
  );
}

/** Why its rows cannot be written in any order, though each by one writer; undefined when they can. */
export function whyMoreThanKey({ shape }: PreparedTableProjection): string | undefined {
  const { indexes, key } = shape.spec;
  const unique = indexes.find((index) => index.unique && !key.every((column) => index.columns.includes(column)));
  if (unique === undefined) return undefined;
  return `Rows of different parts may exchange values of its unique index on ${unique.columns.join(', ')}, in either order.`;
}

/** False for an event that changes no row of the part, as far as that shows without its payload. */
export function mayConcern(projection: PreparedProjection, { streamId }: RecordedEvent, part: Part): boolean {
  if (!isTableProjection(projection)) return isInPart(streamId, part);
  if (projection.definition.key !== undefined) return true;
  try {
    return toRowKeys(projection.shape, streamId).some((key) => isOwnKey(key, part));
  } catch {
    // A stream id that is no key: the fold says which event it is.
    return true;
  }
}

export function isOwnKey(key: RowKey, part: Part): boolean {
  return part.of === 1 || isInPart(writeKey(key), part);
}
