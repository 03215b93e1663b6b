/** Hashes the code of a projection, to tell whether it made the rows of a table. */
import { createHash } from 'node:crypto';
import { joinHashes, withMode } from '../../domain/projection-mode.js';
import { toTableShape } from './columns.js';
import type { Projection } from './definition.js';
import { toTableIdentifiers } from './sql-tag.js';

/**
 * Returns the mode and two hashes. The first is over the definition, which is the same however the code is compiled: kind,
 * columns, tables, event types, schema versions. The second is over the text of the functions, a hint. Neither includes the
 * name, the version, and the functions that these call: a change there is noticed only with a new version.
 */
export function hashCode(projection: Projection): string {
  const upcasters = projection.upcasters ?? [];
  const definition = [
    projection.kind,
    projection.category ?? null,
    describeDefinition(projection),
    upcasters.map(({ type, from, to }) => [type, from, to]),
  ];
  const functions = [...functionsOf(projection), ...upcasters.map(({ up }) => up)];
  const hash = joinHashes(sha256(definition), sha256(functions.map(String)));
  return withMode(projection.kind === 'external' ? 'async' : (projection.mode ?? 'async'), hash);
}

function describeDefinition(projection: Projection): unknown {
  if (projection.kind === 'external') return projection.types ?? null;
  const types = Object.keys(projection.on).sort();
  if (projection.kind === 'table') return [types, toTableShape(projection).spec, projection.key !== undefined];
  const { tables, create } = projection;
  return [types, tables, create(toTableIdentifiers(tables, String))];
}

/** Returns the functions that make the rows; those of the handlers in the order of their event types. */
function functionsOf(projection: Projection): readonly unknown[] {
  if (projection.kind === 'external') return [projection.open, projection.write];
  const { on } = projection;
  const handlers = Object.keys(on)
    .sort()
    .map((type): unknown => on[type]);
  return [...handlers, projection.kind === 'table' ? projection.key : projection.create];
}

function sha256(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
