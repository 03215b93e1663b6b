import type { SqlFolder } from '../sql.js';
import type { ProjectionStore } from '../store.js';
import type { Database } from './database.js';

export const PostgresProjectionStore = class {
  constructor(_database: Database, _sql: SqlFolder, _schema: string) {}
} as unknown as new (
  database: Database,
  sql: SqlFolder,
  schema: string,
) => ProjectionStore;
