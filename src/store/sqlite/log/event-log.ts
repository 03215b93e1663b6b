/** The log on SQLite. */
import { toRecordedEvent } from '../../shared/rows.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { EventLog } from '../../store.js';
import type { Database } from '../connection/database.js';
import { append } from './append.js';
import { readHead, waitForAppend } from './head.js';
import { importEvents } from './import.js';
import { importBatches } from './import-batches.js';
import { inspectLog, tally } from './integrity.js';
import { readAll, readAllLines, readStream } from './read.js';
import { listStreams } from './streams.js';

export function openEventLog(database: Database, sql: SqlFolder): EventLog {
  return {
    append: (streamId, events, expected, options) => append(database, sql, { streamId, events, expected }, options),
    importEvents: (events, { conflict }) => importEvents(database, sql, events, conflict),
    importBatches: (batches, options) => importBatches(database, sql, batches, options),

    readStream: (streamId, options = {}) => readStream(database, sql, streamId, options),
    readAll: (options = {}) => readAll(database, sql, options),
    readLines: (options = {}) => readAllLines(database, sql, options),
    async find(id) {
      const [row] = await database.read((session) => session.query(sql('find'), [id]));
      return row === undefined ? undefined : toRecordedEvent(row);
    },
    /** With one writer at a time nothing can appear below the head, and nothing holds it back. */
    async head() {
      const head = await database.retry(() => readHead(database, sql));
      return { head, safeHead: head, heldBackBy: null };
    },
    waitForAppend: (after, options) => waitForAppend(database, sql, after, options),

    streams: (options = {}) => listStreams(database, sql, options),
    inspect: () => inspectLog(database, sql),
    tally: (range, filter) => tally(database, sql, range, filter),
  };
}
