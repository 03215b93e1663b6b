/** What better-sqlite3 does by itself, in loops as short as they can be. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import type { NewOrderEvent, Writers } from './writer.js';

/** The table of the log without its guards: three unique keys, the index by type, and nothing that is checked. */
export const bareTable = `
  create table events (
    id text not null unique, stream_id text not null, stream_type text not null, event_type text not null,
    schema_version integer not null, event_data text not null, metadata text not null, version integer not null,
    global_position integer primary key autoincrement, created_at text not null, unique (stream_id, version)) strict;
  create index events_type_position_idx on events (event_type, global_position)`;

const insertEvent = `insert into events
  (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** With the settings evstore's own connections have. */
function openBare(path: string): Sqlite.Database {
  const database = new Sqlite(path);
  database.pragma('journal_mode = wal');
  database.pragma('synchronous = full');
  return database;
}

/** Rows of a .copy file into the table `events`, in one transaction. */
export function insertRows(path: string, rows: string): void {
  const database = openBare(path);
  const insert = database.prepare(insertEvent);
  database.exec('begin immediate');
  for (const line of readLines(rows)) {
    const [id, stream, streamType, type, schemaVersion, data, metadata, version, createdAt] = line.split('\t');
    insert.run(id, stream, streamType, type, Number(schemaVersion), data, metadata, Number(version), createdAt);
  }
  database.exec('commit');
  database.close();
}

/** An INSERT for each event; of several, in one transaction. */
export function openBareWriter(path: string): Writers {
  const database = openBare(path);
  const insert = database.prepare(insertEvent);
  const write = (stream: string, version: number, { type, data, metadata }: NewOrderEvent) =>
    insert.run(
      randomUUID(),
      stream,
      'Order',
      type,
      1,
      JSON.stringify(data),
      JSON.stringify(metadata),
      version,
      new Date().toISOString(),
    );
  const writeAll = database.transaction((stream: string, version: number, events: readonly NewOrderEvent[]) => {
    for (const [place, event] of events.entries()) write(stream, version + place + 1, event);
  });
  return {
    writes: [
      async (stream, version, events) => {
        const [only] = events;
        if (events.length === 1 && only !== undefined) write(stream, version + 1, only);
        else writeAll(stream, version, events);
      },
    ],
    close: async () => {
      database.close();
    },
  };
}

/**
 * The whole log in batches of 5,000, with the payload parsed.
 * @returns how many events there were, and the sum of their versions
 */
export function readAndParse(path: string): { events: number; versions: number } {
  const database = openBare(path);
  const read = database
    .prepare<[number], [number, string, number, string, string, string]>(
      `select global_position, stream_id, version, event_type, event_data, created_at
         from events where global_position > ? order by global_position limit 5000`,
    )
    .raw();
  let events = 0;
  let versions = 0;
  for (let position = 0; ; ) {
    const batch = read.all(position) as unknown as [number, string, number, string, string, string][];
    for (const row of batch) if (typeof JSON.parse(row[4]) === 'object') versions += row[2];
    events += batch.length;
    position = batch.at(-1)?.[0] ?? position;
    if (batch.length < 5_000) break;
  }
  database.close();
  return { events, versions };
}

function* readLines(path: string): Generator<string> {
  const file = openSync(path, 'r');
  const piece = Buffer.alloc(1 << 20);
  let rest = '';
  // What is in these files is ASCII: a piece never ends within a character.
  for (let length = readSync(file, piece); length > 0; length = readSync(file, piece)) {
    const lines = (rest + piece.toString('latin1', 0, length)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  closeSync(file);
}
