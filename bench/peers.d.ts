/**
 * Of the packages evstore is measured against, as much as is used here: types are checked without them being installed.
 */
declare module '@event-driven-io/emmett-postgresql' {
  import type { Pool } from 'pg';

  export interface EmmettEvent {
    readonly type: string;
    readonly data: object;
    readonly metadata?: object;
  }

  export interface EmmettPostgresStore {
    readonly schema: { migrate(): Promise<unknown> };
    appendToStream(stream: string, events: readonly EmmettEvent[]): Promise<unknown>;
    close(): Promise<void>;
  }

  export function getPostgreSQLEventStore(
    url: string,
    options?: {
      schema?: { autoMigration?: 'None' | 'CreateOrUpdate' };
      connectionOptions?: { pooled?: true; pool: Pool };
    },
  ): EmmettPostgresStore;

  export interface EmmettProjection {
    readonly name?: string;
  }

  export function pongoSingleStreamProjection<Document extends object>(options: {
    collectionName: string;
    canHandle: readonly string[];
    evolve: (document: Document | null, event: { type: string; data: Record<string, unknown> }) => Document | null;
  }): EmmettProjection;

  export function rebuildPostgreSQLProjections(options: {
    connectionString: string;
    projections: readonly EmmettProjection[];
  }): { start(): Promise<void>; close(): Promise<void> };
}

declare module '@event-driven-io/emmett-sqlite' {
  export interface EmmettSqliteConnection {
    command(sql: string): Promise<unknown>;
    close(): void;
  }

  export function sqliteConnection(options: { fileName: string }): EmmettSqliteConnection;

  export function getSQLiteEventStore(options: {
    fileName: string;
    connectionOptions?: { connection: EmmettSqliteConnection; singleton: true };
  }): {
    appendToStream(
      stream: string,
      events: readonly { type: string; data: object; metadata?: object }[],
    ): Promise<unknown>;
  };
}
