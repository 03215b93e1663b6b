/** Measures tables on disk. Only the server knows how much space is free there. */

import { toInteger, toText } from '../../shared/rows.js';
import type { TableSizes } from '../../store.js';
import type { Database } from '../connection/database.js';

export async function measureTables(database: Database, tables: readonly string[]): Promise<TableSizes> {
  const sizes = await database.ask('table-sizes', [database.schema, tables]);
  const bytes = new Map(sizes.map((row) => [toText(row[0]), toInteger(row[1])]));
  return { tables: tables.map((table) => ({ table, bytes: bytes.get(table) ?? null })), freeBytes: null };
}
