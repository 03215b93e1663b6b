/** Runs the `validate` of a projection on the rebuilt rows. */
import { EvstoreError } from '../../domain/errors.js';
import type { Statement } from '../../domain/read-model.js';
import type { Rebuild, Store } from '../../store/store.js';
import { toList } from '../define/columns.js';
import { isExternalProjection, isTableProjection, type PreparedProjection } from '../define/prepare.js';
import { isStatement, toTableIdentifiers } from '../define/sql-tag.js';
import { describeValue } from '../define/values.js';
import { tableOf } from '../journal/tables.js';

const mostFaults = 10;

/**
 * Returns the first ten rows that the statements of `validate` select from the built tables, each as JSON text.
 * @throws E_HANDLER when it throws, returns no statements, or one that would write
 */
export async function findFaults(
  { projections }: Store,
  projection: PreparedProjection,
  rebuild: Rebuild,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const statement of statementsOf(projection, tableOf(rebuild, 'built'))) {
    faults.push(...(await projections.select(statement, mostFaults - faults.length)));
    if (faults.length === mostFaults) break;
  }
  return faults;
}

function statementsOf(projection: PreparedProjection, physical: (name: string) => string): readonly Statement[] {
  if (isExternalProjection(projection)) return [];
  const { name, tables } = projection;
  const t = toTableIdentifiers(tables, physical);
  try {
    const returned: unknown = isTableProjection(projection)
      ? projection.definition.validate?.(t[projection.shape.spec.name] as never)
      : projection.definition.validate?.(t as never);
    if (returned === undefined || returned === null) return [];
    const statements = toList(returned);
    const wrong = statements.find((each) => !isStatement(each));
    if (wrong === undefined) return statements as readonly Statement[];
    throw new Error(`It returned ${describeValue(wrong)} instead of statements made with sql.`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EvstoreError('E_HANDLER', `validate of ${name} failed`, { why, cause: error });
  }
}
