/** The Postgres driver. */
import { openSqlFolder } from '../shared/sql.js';
import type { ConnectPatience, Store } from '../store.js';
import { parseConnectionUrl } from './connection/connection-url.js';
import { Database, type DatabaseOptions } from './connection/database.js';
import { openEventLog } from './log/event-log.js';
import { openSnapshotStore } from './log/snapshots.js';
import { openProjectionStore } from './projection-store.js';
import { openTableReader } from './read-models/table-reader.js';
import { openSagaStore } from './sagas/sagas.js';
import { openSchemaAdmin } from './schema/schema-admin.js';
import { checkSchemaName, renderSchema } from './schema/schema-name.js';
import { openScratchStores } from './scratch.js';
import { openLogStatistics } from './statistics/statistics.js';

export { printRolesSql } from './schema/roles.js';
export { printSchemaSql } from './schema/schema-admin.js';

export interface PostgresStoreOptions {
  /** `postgres://…`, `postgresql://…`, or `postgres:` for the PG* variables alone. */
  readonly url: string;
  /** Default `public`. */
  readonly schema?: string | undefined;
  /** Shown in `pg_stat_activity`. Default `evstore`. */
  readonly applicationName?: string | undefined;
  /** Refuses every write before it reaches the database. */
  readonly readOnly?: boolean | undefined;
  readonly patience?: ConnectPatience | undefined;
}

/** Returns the schema that is named, or else that of the URL, or else `public`. */
export function schemaOf(url: string, schema: string | undefined): string {
  return schema ?? parseConnectionUrl(url).schema ?? 'public';
}

/**
 * Connects with the first statement.
 * @throws E_CONFIG for a malformed URL or schema name
 */
export function openPostgresStore(options: PostgresStoreOptions): Store {
  const target = parseConnectionUrl(options.url);
  const schema = checkSchemaName(schemaOf(options.url, options.schema));
  const applicationName = target.applicationName ?? options.applicationName ?? 'evstore';
  const connect = ({ patience, ...place }: Pick<DatabaseOptions, 'schema' | 'applicationName' | 'patience'>) =>
    new Database(target, {
      ...place,
      sql: openSqlFolder(new URL('./', import.meta.url), renderSchema(place.schema)),
      readOnly: options.readOnly ?? false,
      patience,
    });
  const open = (database: Database): Store => ({
    engine: 'postgres',
    location: target.location,
    log: openEventLog(database),
    statistics: openLogStatistics(database),
    projections: openProjectionStore(database),
    tables: openTableReader(database),
    snapshots: openSnapshotStore(database),
    sagas: openSagaStore(database),
    schema: openSchemaAdmin(database),
    scratch: openScratchStores({
      database,
      connect: () => connect({ schema, applicationName }),
      open: (name) => open(connect({ schema: name, applicationName: name })),
    }),
    close: () => database.close(),
  });
  return open(connect({ schema, applicationName, patience: options.patience }));
}
