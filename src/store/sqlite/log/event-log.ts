/** The log on SQLite. */
import { renderEventLines } from '../../../domain/event-lines.js';
import { keepMatching } from '../../shared/matching.js';
import { toRecordedEvent } from '../../shared/rows.js';
import type { EventLog } from '../../store.js';
import type { Database } from '../connection/database.js';
import { append } from './append.js';
import { readHead, waitForAppend } from './head.js';
import { importEvents } from './import.js';
import { importBatches } from './import-batches.js';
import { inspectLog, tally } from './integrity.js';
import { readAll, readAllLines, readStream } from './read.js';
import { listStreams } from './streams.js';

export function openEventLog(database: Database): EventLog {
  return {
    append: (streamId, events, expected, options) => append(database, { streamId, events, expected }, options),
    importEvents: (events, { conflict }) => importEvents(database, events, conflict),
    importBatches: (batches, options) => importBatches(database, batches, options),

    readStream: (streamId, options = {}) => keepMatching(options, (rest) => readStream(database, streamId, rest)),
    readAll: (options = {}) => keepMatching(options, (rest) => readAll(database, rest)),
    /** A condition needs the events themselves. */
    async *readLines(options = {}) {
      if (options.where === undefined) {
        yield* readAllLines(database, options);
        return;
      }
      for await (const { events, upTo } of keepMatching(options, (rest) => readAll(database, rest))) {
        yield { lines: renderEventLines(events), events: events.length, upTo };
      }
    },
    async find(id) {
      const [row] = await database.read((session) => session.ask('find', [id]));
      return row === undefined ? undefined : toRecordedEvent(row);
    },
    /** With one writer at a time nothing can appear below the head, and nothing holds it back. */
    async head() {
      const head = await database.retry(() => readHead(database));
      return { head, safeHead: head, heldBackBy: null };
    },
    waitForAppend: (after, options) => waitForAppend(database, after, options),

    streams: (options = {}) => listStreams(database, options),
    inspect: () => inspectLog(database),
    tally: (range, filter) => tally(database, range, filter),
  };
}
