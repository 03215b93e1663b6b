/** The log on Postgres. */
import { renderEventLines } from '../../../domain/event-lines.js';
import { isUuid } from '../../../domain/uuid.js';
import { readAhead } from '../../shared/read-ahead.js';
import { toRecordedEvent } from '../../shared/rows.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { EventLog } from '../../store.js';
import type { Database } from '../connection/database.js';
import { append } from './append.js';
import { HeadWatch, readHead } from './head.js';
import { importEvents } from './import.js';
import { inspectLog, tally } from './integrity.js';
import { readAll, readStream } from './read.js';
import { listStreams } from './streams.js';

export function openEventLog(database: Database, sql: SqlFolder, schema: string): EventLog {
  const watch = new HeadWatch(database, sql);
  return {
    append: (streamId, events, expected, options) =>
      append({ database, sql, schema }, { streamId, events, expected }, options),
    importEvents: (events, { conflict }) => importEvents(database, sql, events, conflict),
    async importBatches(batches, { conflict, committed }) {
      for await (const batch of readAhead(batches)) committed(await importEvents(database, sql, batch, conflict));
    },

    readStream: (streamId, options = {}) => readStream(database, sql, streamId, options),
    readAll: (options = {}) => readAll(database, sql, options),
    /** The next events are read while these become lines. */
    async *readLines(options = {}) {
      for await (const { events, upTo } of readAhead(readAll(database, sql, options))) {
        yield { lines: renderEventLines(events), events: events.length, upTo };
      }
    },
    async find(id) {
      if (!isUuid(id)) return undefined;
      const [row] = await database.query(sql('find'), [id]);
      return row === undefined ? undefined : toRecordedEvent(row);
    },
    head: (options = {}) => readHead(database, sql, options),
    waitForAppend: (after, options) => watch.wait(after, options),

    streams: (options = {}) => listStreams(database, sql, options),
    inspect: () => inspectLog(database, sql),
    tally: (range, filter) => tally(database, sql, range, filter),
  };
}
