/** Prepares projections: their definition, and what is derived from it once. */
import type { SourceHash } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import type { EventFilter } from '../../domain/event.js';
import type { ProjectionMode } from '../../domain/projection-mode.js';
import type { ReadModel, Statement } from '../../domain/read-model.js';
import { hashCode } from './code-hash.js';
import { type TableShape, toList, toTableShape } from './columns.js';
import type { ExternalProjection, Projection, SqlProjection, TableProjection } from './definition.js';
import { findShapeFaults, toProjection } from './shape.js';
import { isStatement, toTableIdentifiers } from './sql-tag.js';
import { describeValue } from './values.js';

interface Prepared {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  readonly mode: ProjectionMode;
  /** The events it gets. */
  readonly filter: EventFilter;
  readonly model: ReadModel;
  /** By the names readers use. */
  readonly tables: readonly string[];
  /** The file it was loaded from, absolute; undefined when a program passed it in. */
  readonly file?: string;
}

export interface PreparedTableProjection extends Prepared {
  readonly definition: TableProjection;
  readonly shape: TableShape;
}

export interface PreparedSqlProjection extends Prepared {
  readonly definition: SqlProjection;
}

export interface PreparedExternalProjection extends Prepared {
  readonly definition: ExternalProjection;
}

export type PreparedProjection = PreparedTableProjection | PreparedSqlProjection | PreparedExternalProjection;

/**
 * @param definition its shape is checked already: see shape.ts
 * @param source undefined when a program passed the definition in
 */
export function prepareProjection(definition: Projection, source?: SourceHash): PreparedProjection {
  const { name, version } = definition;
  const mode = definition.kind === 'external' ? 'async' : (definition.mode ?? 'async');
  const common = { name, version, mode, codeHash: hashCode(definition, source), filter: toFilter(definition) };
  if (definition.kind === 'external') return { ...common, definition, model: { kind: 'external' }, tables: [] };
  if (definition.kind === 'sql') {
    const { tables, create } = definition;
    const model: ReadModel = {
      kind: 'sql',
      tables,
      create: (physical) => assertStatements(create(toTableIdentifiers(tables, physical))),
    };
    model.create(String);
    return { ...common, definition, model, tables };
  }
  const shape = toTableShape(definition);
  return { ...common, definition, shape, model: { kind: 'table', spec: shape.spec }, tables: [shape.spec.name] };
}

/** @throws TypeError */
function assertStatements(returned: unknown): readonly Statement[] {
  const statements = toList(returned);
  if (statements.every(isStatement)) return statements;
  const wrong = statements.find((each) => !isStatement(each));
  throw new TypeError(`create returns statements made with sql, not ${describeValue(wrong)}`);
}

/**
 * Prepares projections that a program passes in, with the checks of those that are loaded from files.
 * @throws E_CONFIG for one with a fault, and for two with the same name or table
 */
export function prepareAll(projections: readonly Projection[]): readonly PreparedProjection[] {
  const prepared = projections.map((projection, index) => {
    const [fault] = findShapeFaults(projection);
    if (fault === undefined) return prepareProjection(toProjection(projection));
    throw new EvstoreError('E_CONFIG', `projections[${index}] is not a valid projection`, { why: `Its ${fault}.` });
  });
  for (const [index, one] of prepared.entries()) {
    const others = prepared.slice(0, index);
    const twice = others.find(
      ({ name, tables }) => name === one.name || tables.some((table) => one.tables.includes(table)),
    );
    if (twice !== undefined) {
      throw new EvstoreError('E_CONFIG', `projections ${twice.name} and ${one.name} have the same name or table`);
    }
  }
  return prepared;
}

export function isTableProjection(projection: PreparedProjection): projection is PreparedTableProjection {
  return projection.definition.kind === 'table';
}

export function isExternalProjection(projection: PreparedProjection): projection is PreparedExternalProjection {
  return projection.definition.kind === 'external';
}

/** Returns true when the key of a row is the id of its stream as written: a uuid or a time may be spelled differently. */
export function isKeyedByStream({ definition, shape }: PreparedTableProjection): boolean {
  return definition.key === undefined && shape.keyProperties.every(({ type }) => type === 'text');
}

function toFilter(definition: Projection): EventFilter {
  const { category } = definition;
  const types = definition.kind === 'external' ? definition.types : Object.keys(definition.on);
  const isNarrow = types !== undefined && (definition.kind === 'external' || !types.includes('*'));
  return { ...(category !== undefined && { category }), ...(isNarrow && { types }) };
}
