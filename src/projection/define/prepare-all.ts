/** Projections that a program hands over itself: checked as those that are loaded from files are. */
import { EvstoreError } from '../../domain/errors.js';
import type { Projection } from './definition.js';
import { type PreparedProjection, prepareProjection } from './prepare.js';
import { findShapeFaults, toProjection } from './shape.js';

/** @throws E_CONFIG for one that has a fault, and for two of one name or table */
export function prepareAll(projections: readonly Projection[]): readonly PreparedProjection[] {
  const prepared = projections.map((projection, index) => {
    const [fault] = findShapeFaults(projection);
    if (fault === undefined) return prepareProjection(toProjection(projection));
    throw new EvstoreError('E_CONFIG', `projections[${index}] is not a projection`, { why: `Its ${fault}.` });
  });
  for (const [index, one] of prepared.entries()) {
    const others = prepared.slice(0, index);
    const twice = others.find(
      ({ name, tables }) => name === one.name || tables.some((table) => one.tables.includes(table)),
    );
    if (twice !== undefined) {
      throw new EvstoreError('E_CONFIG', `projections ${twice.name} and ${one.name} have a name or a table in common`);
    }
  }
  return prepared;
}
