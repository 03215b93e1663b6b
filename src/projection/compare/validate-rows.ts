/** What a projection itself has to say against rebuilt rows: its `validate`. */
import { EvstoreError } from '../../domain/errors.js';
import type { Statement } from '../../domain/read-model.js';
import type { Rebuild, Store } from '../../store/store.js';
import { toList } from '../define/columns.js';
import { isExternalProjection, isTableProjection, type PreparedProjection } from '../define/prepare.js';
import { isStatement, toTableIdentifiers } from '../define/sql-tag.js';
import { describeValue } from '../define/values.js';
import { tableOf } from '../journal/rebuild-lease.js';

const mostFaults = 10;

/**
 * Rows that the statements of `validate` return for the tables of a rebuild, each as JSON text; the first ten.
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

/** @throws E_CHECK_FAILED naming the first rows it found; the rebuilt tables stay as they are */
export async function assertValid(store: Store, projection: PreparedProjection, rebuild: Rebuild): Promise<void> {
  const faults = await findFaults(store, projection, rebuild);
  if (faults.length === 0) return;
  const { name } = projection;
  throw new EvstoreError('E_CHECK_FAILED', `validate of ${name} found faults in the rebuilt rows`, {
    why: `The first: ${faults.slice(0, 3).join(', ')}. The live table is untouched; drop the new one with: evstore abort ${name}.`,
    next: `evstore diff ${name}`,
    details: { rebuild: rebuild.id, faults: faults.map((fault): unknown => JSON.parse(fault)) },
  });
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
    if (wrong !== undefined)
      throw new Error(`It returned ${describeValue(wrong)} instead of statements made with sql.`);
    return statements as readonly Statement[];
  } catch (error) {
    throw new EvstoreError('E_HANDLER', `validate of ${name} failed`, {
      why: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}
