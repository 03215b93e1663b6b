/** The log on Postgres. */
import { renderEventLines } from '../../../domain/event-lines.js';
import { isUuid } from '../../../domain/uuid.js';
import { keepMatching } from '../../shared/matching.js';
import { readAhead } from '../../shared/read-ahead.js';
import { toRecordedEvent } from '../../shared/rows.js';
import type { EventLog } from '../../store.js';
import type { Database } from '../connection/database.js';
import { append } from './append.js';
import { HeadWatch, readHead } from './head.js';
import { importEvents } from './import.js';
import { inspectLog, tally } from './integrity.js';
import { readAll, readStream } from './read.js';
import { listStreams } from './streams.js';

export function openEventLog(database: Database): EventLog {
  const watch = new HeadWatch(database);
  return {
    append: (streamId, events, expected, options) => append(database, { streamId, events, expected }, options),
    importEvents: (events, { conflict }) => importEvents(database, events, conflict),
    async importBatches(batches, { conflict, committed }) {
      for await (const batch of readAhead(batches)) committed(await importEvents(database, batch, conflict));
    },

    readStream: (streamId, options = {}) => keepMatching(options, (rest) => readStream(database, streamId, rest)),
    readAll: (options = {}) => keepMatching(options, (rest) => readAll(database, rest)),
    /** The next events are read while these become lines. */
    async *readLines(options = {}) {
      for await (const { events, upTo } of readAhead(keepMatching(options, (rest) => readAll(database, rest)))) {
        yield { lines: renderEventLines(events), events: events.length, upTo };
      }
    },
    async find(id) {
      if (!isUuid(id)) return undefined;
      const [row] = await database.ask('find', [id]);
      return row === undefined ? undefined : toRecordedEvent(row);
    },
    head: (options = {}) => readHead(database, options),
    waitForAppend: (after, options) => watch.wait(after, options),

    streams: (options = {}) => listStreams(database, options),
    inspect: () => inspectLog(database),
    tally: (range, filter) => tally(database, range, filter),
  };
}
