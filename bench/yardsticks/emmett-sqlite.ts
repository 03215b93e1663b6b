/** Emmett on SQLite: its own store, with one connection that stays open, which is the fastest way to have it. */
import { getSQLiteEventStore, sqliteConnection } from '@event-driven-io/emmett-sqlite';
import type { Writers } from './writer.js';

export async function openEmmettSqliteWriter(path: string): Promise<Writers> {
  const connection = sqliteConnection({ fileName: path });
  await connection.command('pragma synchronous = full');
  const store = getSQLiteEventStore({ fileName: path, connectionOptions: { connection, singleton: true } });
  return {
    writes: [(stream, _version, events) => store.appendToStream(stream, events)],
    close: async () => connection.close(),
  };
}
