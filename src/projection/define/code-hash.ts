/** Hashes the code of a projection, to tell whether it made the rows of a table: see domain/code-identity.ts. */
import { createHash } from 'node:crypto';
import { joinHashes, type SourceHash } from '../../domain/code-identity.js';
import { withMode } from '../../domain/projection-mode.js';
import { toTableShape } from './columns.js';
import type { Projection } from './definition.js';
import { toTableIdentifiers } from './sql-tag.js';

/**
 * Returns the mode, a hash of the definition, and what is known about the functions. The definition is what is the same
 * however the code is compiled: kind, columns, tables, event types, schema versions. The text of a function is not: it
 * is read from the source, or not at all. Neither includes the name and the version.
 */
export function hashCode(projection: Projection, source?: SourceHash): string {
  const { kind, codeHash, upcasters = [] } = projection;
  const definition = sha256([
    kind,
    projection.category ?? null,
    describeDefinition(projection),
    upcasters.map(({ type, from, to }) => [type, from, to]),
  ]);
  const own = codeHash === undefined ? undefined : sha256(codeHash);
  return withMode(
    kind === 'external' ? 'async' : (projection.mode ?? 'async'),
    joinHashes(definition, { own, source }),
  );
}

/** Returns the hash of a projection under another name, whose tables have other names. @param formerly the other name of a table */
export function hashAs(projection: Projection, name: string, formerly: (table: string) => string): string {
  if (projection.kind === 'external') return hashCode(projection);
  if (projection.kind === 'table') {
    const { table } = projection;
    return hashCode({ ...projection, name, table: { ...table, name: formerly(table.name ?? projection.name) } });
  }
  const { tables, create } = projection;
  const former = toTableIdentifiers(tables, formerly);
  return hashCode({ ...projection, name, tables: tables.map(formerly), create: () => create(former) });
}

function describeDefinition(projection: Projection): unknown {
  if (projection.kind === 'external') return projection.types ?? null;
  const types = Object.keys(projection.on).sort();
  if (projection.kind === 'table') return [types, toTableShape(projection).spec, projection.key !== undefined];
  const { tables, create } = projection;
  return [types, tables, create(toTableIdentifiers(tables, String))];
}

/** Hashes the JSON of a value; 32 digits. */
export function sha256(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
