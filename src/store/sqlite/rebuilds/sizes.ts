/** Measures tables on disk, and the free space there. */
import { promises as files } from 'node:fs';
import { dirname } from 'node:path';
import { toInteger, toText } from '../../shared/rows.js';
import type { TableSizes } from '../../store.js';
import type { Database } from '../connection/database.js';

export async function measureTables(database: Database, tables: readonly string[]): Promise<TableSizes> {
  const [sizes, file] = await database.read((session) => [
    session.ask('table-sizes', [JSON.stringify(tables)]),
    toText(session.ask('database-file')[0]?.[0]),
  ]);
  const bytes = new Map(sizes.map((row) => [toText(row[0]), toInteger(row[1])]));
  return {
    tables: tables.map((table) => ({ table, bytes: bytes.get(table) ?? null })),
    freeBytes: file === '' ? null : await freeBytesOf(dirname(file)),
  };
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await files.statfs(folder);
  return bavail * bsize;
}
