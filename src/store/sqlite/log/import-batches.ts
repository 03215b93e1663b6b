/** Importing any number of events: one thread reads them, another writes them. */
import { readAhead } from '../../shared/read-ahead.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { ImportedEvent, ImportOptions } from '../../store.js';
import type { Database } from '../connection/database.js';
import { importEvents } from './import.js';
import { ImportThread } from './import-thread.js';

/**
 * What fits into one batch is written here, sooner than a thread starts. So is every one into a store in memory, which
 * has one connection.
 */
export async function importBatches(
  database: Database,
  sql: SqlFolder,
  batches: AsyncIterable<readonly ImportedEvent[]>,
  { conflict, joined = false, committed }: ImportOptions,
): Promise<void> {
  database.assertWritable();
  const { target } = database;
  let isFirst = true;
  let thread: ImportThread | undefined;
  try {
    for await (const batch of readAhead(batches)) {
      if (isFirst || target.isMemory) committed(await importEvents(database, sql, batch, conflict));
      else {
        thread ??= new ImportThread({ target, conflict, joined }, committed);
        await thread.write(batch);
      }
      isFirst = false;
    }
  } finally {
    // Also when the source fails: what it gave before is committed, unless that fails, which comes first then.
    await thread?.end().finally(() => thread?.close());
  }
}
