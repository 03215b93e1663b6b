/** What a projection's code was, in a few characters: whether the rows of a table were made by this code. */
import { createHash } from 'node:crypto';
import { withMode } from '../../domain/projection-mode.js';
import { toTableShape } from './columns.js';
import type { Projection } from './definition.js';
import { toTableIdentifiers } from './sql-tag.js';

/**
 * The mode, and SHA-256, hexadecimal, over the shape of the tables and the text of the functions that make the rows. Name
 * and version are left out, and so is what the functions call: a change there needs a new version to be noticed.
 */
export function hashCode(projection: Projection): string {
  const upcasters = (projection.upcasters ?? []).map(({ type, from, to, up }) => [type, from, to, String(up)]);
  const content = [projection.kind, projection.category ?? null, ...describeCode(projection), ...upcasters];
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return withMode(projection.kind === 'external' ? 'async' : (projection.mode ?? 'async'), hash);
}

/** Shape and handlers. */
function describeCode(projection: Projection): readonly [unknown, unknown] {
  if (projection.kind === 'external') {
    const { types, open, write } = projection;
    return [types ?? null, [String(open), String(write)]];
  }
  const handlers = Object.entries<unknown>(projection.on)
    .map(([type, handler]) => [type, String(handler)])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  if (projection.kind === 'table') return [[toTableShape(projection).spec, String(projection.key)], handlers];
  const { tables, create } = projection;
  return [[tables, String(create), create(toTableIdentifiers(tables, String))], handlers];
}
