/** Hashes the code of a projection, to tell whether it made the rows of a table. */
import { createHash } from 'node:crypto';
import { withMode } from '../../domain/projection-mode.js';
import { toTableShape } from './columns.js';
import type { Projection } from './definition.js';
import { toTableIdentifiers } from './sql-tag.js';

/**
 * Returns the mode and a SHA-256 over the shape of the tables and the text of the functions that make the rows. It does not
 * include the name, the version, and the functions that these call: a change there is noticed only with a new version.
 */
export function hashCode(projection: Projection): string {
  const upcasters = (projection.upcasters ?? []).map(({ type, from, to, up }) => [type, from, to, String(up)]);
  const content = [projection.kind, projection.category ?? null, ...describeCode(projection), ...upcasters];
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return withMode(projection.kind === 'external' ? 'async' : (projection.mode ?? 'async'), hash);
}

/** Returns the shape and the handlers. */
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
