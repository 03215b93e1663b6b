/** Renames a projection in the store, after it was renamed in the code. */
import { EvstoreError } from '../../domain/errors.js';
import { assertSamePlace } from '../../lease/registration.js';
import type { ProjectionRename, Store } from '../../store/store.js';
import { hashAs } from '../define/code-hash.js';
import type { PreparedProjection } from '../define/prepare.js';
import { findProjection } from './forget.js';

export interface RenamePlan extends ProjectionRename {
  readonly from: string;
}

/**
 * The tables get the names that the code defines. One table may have another name than before; several could not be told
 * apart.
 * @param code of the new name
 * @throws E_NOT_FOUND, E_CONFIG
 */
export async function planRename(store: Store, from: string, code: PreparedProjection): Promise<RenamePlan> {
  const record = await findProjection(store, from);
  assertSamePlace(record, code);
  const gone = record.tables.filter((table) => !code.tables.includes(table));
  const added = code.tables.filter((table) => !record.tables.includes(table));
  if (gone.length !== added.length || gone.length > 1) {
    throw new EvstoreError('E_CONFIG', `the tables of ${code.name} are not those of ${from}`, {
      why: `The store has ${record.tables.join(', ')}, the code ${code.tables.join(', ')}. Only one table can get another name. Keep the other names in the code.`,
      details: { store: record.tables, code: code.tables },
    });
  }
  const [before, after] = [gone[0], added[0]];
  const tables = before === undefined || after === undefined ? {} : { [before]: after };
  // The same definition has another hash under the new names.
  const former = hashAs(code.definition, from, (table) => (table === after && before !== undefined ? before : table));
  return { from, name: code.name, hashes: { before: former, after: code.codeHash }, tables };
}
