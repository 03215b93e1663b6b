/** A connection of somebody else, who knows nothing of evstore. */
import Database from 'better-sqlite3';
import pg from 'pg';

type RawRow = Record<string, unknown>;

/** A connection of somebody else: any SQL, one session. */
export interface Raw {
  /** @param values for `$1`, `$2` … on Postgres, `?` on SQLite */
  query(sql: string, values?: readonly unknown[]): Promise<RawRow[]>;
  close(): Promise<void>;
}

export async function connectPostgres(url: string): Promise<Raw> {
  const client = new pg.Client({ connectionString: url, application_name: 'somebody else' });
  client.on('error', () => {});
  await client.connect();
  return {
    query: async (sql, values = []) => {
      const result = values.length === 0 ? await client.query(sql) : await client.query(sql, [...values]);
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    },
    close: () => client.end().catch(() => {}),
  };
}

export function connectSqlite(path: string): Raw {
  const database = new Database(path, { timeout: 5_000 });
  return {
    query: async (sql, values = []) => {
      if (values.length === 0 && !/^\s*(select|with|pragma|explain)\b/i.test(sql)) {
        database.exec(sql);
        return [];
      }
      const statement = database.prepare(sql);
      if (statement.reader) return statement.all(...values) as RawRow[];
      statement.run(...values);
      return [];
    },
    close: async () => {
      database.close();
    },
  };
}

export function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
