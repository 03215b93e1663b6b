/** The SQLite driver. */
import type { Store } from '../store.js';
import { parseConnectionUrl } from './connection/connection-url.js';
import { Database } from './connection/database.js';
import { openEventLog } from './log/event-log.js';
import { openSnapshotStore } from './log/snapshots.js';
import { openProjectionStore } from './projection-store.js';
import { openTableReader } from './read-models/table-reader.js';
import { openSagaStore } from './sagas/sagas.js';
import { openSchemaAdmin } from './schema/schema-admin.js';
import { openScratchStores } from './scratch.js';
import { openLogStatistics } from './statistics/statistics.js';

export { printSchemaSql } from './schema/schema-admin.js';

export interface SqliteStoreOptions {
  /** `sqlite:PATH` or `sqlite::memory:`. */
  readonly url: string;
  /** Make the file when it is missing. Default false: a missing file is E_NO_SCHEMA. */
  readonly create?: boolean;
  /** Refuses every write before it reaches the file. */
  readonly readOnly?: boolean;
}

/**
 * Opens the file at once.
 * @throws E_CONFIG for a malformed URL and for anything but a file, E_NO_SCHEMA, E_CONNECT, E_CORRUPT
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const create = options.create ?? false;
  const target = parseConnectionUrl(options.url, create);
  const database = new Database(target, options.readOnly ?? false, create);
  try {
    await database.prepare();
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    engine: 'sqlite',
    location: target.location,
    notes: database.isFrozen
      ? [`the folder of ${target.location} is read-only: reading a copy in memory; later changes are not seen`]
      : [],
    log: openEventLog(database),
    statistics: openLogStatistics(database),
    projections: openProjectionStore(database),
    tables: openTableReader(database),
    snapshots: openSnapshotStore(database),
    sagas: openSagaStore(database),
    schema: openSchemaAdmin(database),
    scratch: openScratchStores({
      target,
      assertWritable: () => database.assertWritable(),
      open: (path, isNew) => openSqliteStore({ url: `sqlite:${path}`, create: isNew }),
    }),
    close: async () => database.close(),
  };
}
