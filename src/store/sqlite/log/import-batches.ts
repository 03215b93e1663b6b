/** Imports any number of events: one thread reads them, another writes them. */
import { readAhead } from '../../shared/read-ahead.js';
import type { ImportedEvent, ImportOptions } from '../../store.js';
import type { Database } from '../connection/database.js';
import { importEvents } from './import.js';
import { ImportThread } from './import-thread.js';

/**
 * Writes the first batch in this thread, which is faster than starting another. A store in memory has one connection, so
 * this thread writes all batches.
 */
export async function importBatches(
  database: Database,
  batches: AsyncIterable<readonly ImportedEvent[]>,
  { conflict, joined = false, committed }: ImportOptions,
): Promise<void> {
  database.assertWritable();
  const { target } = database;
  let isFirst = true;
  let thread: ImportThread | undefined;
  try {
    for await (const batch of readAhead(batches)) {
      if (isFirst || target.isMemory) committed(await importEvents(database, batch, conflict));
      else {
        thread ??= new ImportThread({ target, conflict, joined }, committed);
        await thread.write(batch);
      }
      isFirst = false;
    }
  } finally {
    // Also when the source fails: earlier batches are committed. If that fails, its error is thrown instead.
    await thread?.end().finally(() => thread?.close());
  }
}
