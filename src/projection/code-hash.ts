/** What a projection's code was, in a few characters: whether the rows of a table were made by this code. */
import { createHash } from 'node:crypto';
import { withMode } from '../domain/projection-mode.js';
import { toTableShape } from './columns.js';
import type { Projection } from './definition.js';
import { toTableIdentifiers } from './sql-tag.js';

/**
 * The mode, and SHA-256, hexadecimal, over the shape of the tables and the text of the functions. Name and version are left out, and
 * so is what the functions call: a change there needs a new version to be noticed.
 */
export function hashCode(projection: Projection): string {
  const handlers = Object.entries<unknown>(projection.on)
    .map(([type, handler]) => [type, String(handler)])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  const shape =
    projection.kind === 'table'
      ? [toTableShape(projection).spec, String(projection.key)]
      : [
          projection.tables,
          String(projection.create),
          projection.create(toTableIdentifiers(projection.tables, String)),
        ];
  const upcasters = (projection.upcasters ?? []).map(({ type, from, to, up }) => [type, from, to, String(up)]);
  const content = JSON.stringify([projection.kind, projection.category ?? null, shape, handlers, ...upcasters]);
  return withMode(projection.mode ?? 'async', createHash('sha256').update(content).digest('hex'));
}
