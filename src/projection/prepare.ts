/** A projection ready to run: its definition, and what is derived from it once. */
import type { EventFilter } from '../domain/event.js';
import type { ProjectionMode } from '../domain/projection-mode.js';
import type { ReadModel } from '../domain/read-model.js';
import { hashCode } from './code-hash.js';
import { type TableShape, toList, toTableShape } from './columns.js';
import type { Projection, SqlProjection, TableProjection } from './definition.js';
import { toTableIdentifiers } from './sql-tag.js';

interface Prepared {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  readonly mode: ProjectionMode;
  /** The events it has handlers for. */
  readonly filter: EventFilter;
  readonly model: ReadModel;
  /** The names readers use. */
  readonly tables: readonly string[];
}

export interface PreparedTableProjection extends Prepared {
  readonly definition: TableProjection;
  readonly shape: TableShape;
}

export interface PreparedSqlProjection extends Prepared {
  readonly definition: SqlProjection;
}

export type PreparedProjection = PreparedTableProjection | PreparedSqlProjection;

/** The definition's shape is checked already: see shape.ts. */
export function prepareProjection(definition: Projection): PreparedProjection {
  const { name, version, mode = 'async' } = definition;
  const common = { name, version, mode, codeHash: hashCode(definition), filter: toFilter(definition) };
  if (definition.kind === 'sql') {
    const { tables, create } = definition;
    const model: ReadModel = {
      kind: 'sql',
      tables,
      create: (physical) => toList(create(toTableIdentifiers(tables, physical))),
    };
    return { ...common, definition, model, tables };
  }
  const shape = toTableShape(definition);
  return { ...common, definition, shape, model: { kind: 'table', spec: shape.spec }, tables: [shape.spec.name] };
}

export function isTableProjection(projection: PreparedProjection): projection is PreparedTableProjection {
  return projection.definition.kind === 'table';
}

function toFilter({ category, on }: Projection): EventFilter {
  const types = Object.keys(on);
  return { ...(category !== undefined && { category }), ...(!types.includes('*') && { types }) };
}
