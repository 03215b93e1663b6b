/** The log on SQLite: what `append` and `importEvents` write and every reader sees. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditFilter, Tally } from '../../../domain/audit.js';
import type {
  AppendResult,
  EventBatch,
  EventFilter,
  ExpectedVersion,
  Head,
  NewEvent,
  RecordedEvent,
  StreamSummary,
} from '../../../domain/event.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
import { BatchSize } from '../../shared/batch-size.js';
import { toInteger, toOptional, toRecordedEvent } from '../../shared/rows.js';
import type { SqlFolder } from '../../shared/sql.js';
import type {
  AppendOptions,
  EventLog,
  ImportedEvent,
  ImportOptions,
  ImportResult,
  Inspection,
  LineBatch,
  ReadAllOptions,
  ReadStreamOptions,
  StreamsOptions,
} from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { addFilter, type FilteredStatement } from '../connection/filter.js';
import { append } from './append.js';
import { importEvents } from './import.js';
import { importBatches } from './import-batches.js';
import { inspectLog, tally } from './integrity.js';
import { readEventPage } from './read-events.js';
import { readLines } from './read-lines.js';
import { listStreams } from './streams.js';

const defaultBatchSize = 1000;
/** Positions or versions looked at in one go when most may not match: a few milliseconds. */
const windowSize = 10_000;
/** How often a reader that has everything asks for more: what an event waits for on its way to it, at most. */
const pollMs = 4;

/** What one statement gives. */
interface Page {
  readonly count: number;
  readonly characters: number;
  readonly last: number;
}

/** The form in which the events of the log are read. */
interface Form<P extends Page> {
  /** Statements. */
  readonly forwards: string;
  readonly backwards: string;
  readonly read: (session: Session, sql: SqlFolder, statement: FilteredStatement) => P;
}

interface Reached<P extends Page> {
  readonly page: P;
  readonly upTo: number;
}

export class SqliteEventLog implements EventLog {
  readonly #database: Database;
  readonly #sql: SqlFolder;

  constructor(database: Database, sql: SqlFolder) {
    this.#database = database;
    this.#sql = sql;
  }

  append(
    streamId: string,
    events: readonly NewEvent[],
    expected: ExpectedVersion,
    options?: AppendOptions,
  ): Promise<AppendResult> {
    return append(this.#database, this.#sql, { streamId, events, expected }, options);
  }

  importEvents(
    events: readonly ImportedEvent[],
    options: { readonly conflict: 'skip' | 'fail' },
  ): Promise<ImportResult> {
    return importEvents(this.#database, this.#sql, events, options.conflict);
  }

  importBatches(batches: AsyncIterable<readonly ImportedEvent[]>, options: ImportOptions): Promise<void> {
    return importBatches(this.#database, this.#sql, batches, options);
  }

  inspect(): AsyncIterable<Inspection> {
    return inspectLog(this.#database, this.#sql);
  }

  tally(range: { readonly after: number; readonly to: number }, filter: AuditFilter): Promise<Tally> {
    return tally(this.#database, this.#sql, range, filter);
  }

  async *readStream(streamId: string, options: ReadStreamOptions = {}): AsyncGenerator<EventBatch> {
    const { backwards = false, batchSize = defaultBatchSize } = options;
    const batches = new BatchSize(batchSize);
    let from = options.fromVersion ?? 1;
    let to = Math.min(options.toVersion ?? Number.MAX_SAFE_INTEGER, await this.#version(streamId));
    let remaining = options.limit ?? Number.POSITIVE_INFINITY;
    while (remaining > 0 && from <= to) {
      const wanted = Math.min(batches.size, remaining);
      const [low, high] = window(from, to, backwards, options);
      const statement = addFilter(
        {
          text: this.#sql(backwards ? 'read-stream-backwards' : 'read-stream'),
          parameters: [streamId, low, high, wanted],
        },
        options,
      );
      const page = await this.#database.read((session) => readEventPage(session, this.#sql, statement));
      const { events } = page;
      batches.record(page.count, page.characters);
      const last = events.at(-1);
      const isWindowDone = events.length < wanted || last === undefined;
      if (backwards) to = (isWindowDone ? low : last.version) - 1;
      else from = (isWindowDone ? high : last.version) + 1;
      remaining -= events.length;
      if (last !== undefined) yield { events, upTo: last.globalPosition };
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<EventBatch> {
    const form = { forwards: 'read-all', backwards: 'read-all-backwards', read: readEventPage };
    for await (const { page, upTo } of this.#read(form, options)) yield { events: page.events, upTo };
  }

  async *readLines(options: ReadAllOptions = {}): AsyncGenerator<LineBatch> {
    const form = { forwards: 'read-lines', backwards: 'read-lines-backwards', read: readLines };
    for await (const { page, upTo } of this.#read(form, options)) {
      yield { lines: page.lines, events: page.count, upTo };
    }
  }

  async find(id: string): Promise<RecordedEvent | undefined> {
    const [row] = await this.#database.read((session) => session.query(this.#sql('find'), [id]));
    return row === undefined ? undefined : toRecordedEvent(row);
  }

  /** With one writer at a time nothing can appear below the head, and nobody holds it back. */
  async head(): Promise<Head> {
    const head = await this.#head();
    return { head, safeHead: head, heldBackBy: null };
  }

  /** Every commit of another process changes `data_version`; this one's own are seen in the head. */
  async waitForAppend(
    after: number,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<number> {
    const { timeoutMs, signal } = options;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // First, because who asks has just read all there was: a reader under load would ask for each event.
      const pauseMs = Math.max(0, Math.min(pollMs, deadline - Date.now()));
      await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
      const head = await this.#head();
      if (head > after || Date.now() >= deadline || signal?.aborted) return head;
    }
  }

  streams(options: StreamsOptions = {}): Promise<readonly StreamSummary[]> {
    return listStreams(this.#database, this.#sql, options);
  }

  #read<P extends Page>(form: Form<P>, options: ReadAllOptions): AsyncIterable<Reached<P>> {
    return options.backwards === true ? this.#readBackwards(form, options) : this.#readForwards(form, options);
  }

  /** Rows and head are seen in one snapshot. Between batches the process is free, and so is the connection. */
  async *#readForwards<P extends Page>(form: Form<P>, options: ReadAllOptions): AsyncGenerator<Reached<P>> {
    const { batchSize = defaultBatchSize, safeHead = Number.MAX_SAFE_INTEGER } = options;
    const to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, safeHead);
    const batches = new BatchSize(batchSize);
    let after = options.after ?? 0;
    if (options.since !== undefined) after = Math.max(after, await this.#lastBefore(options.since));
    let remaining = options.limit ?? Number.POSITIVE_INFINITY;
    while (remaining > 0 && after < to) {
      const wanted = Math.min(batches.size, remaining);
      const found = await this.#database.read((session) => {
        const cap = Math.min(to, readHead(session, this.#sql));
        if (cap <= after) return undefined;
        const [, high] = window(after + 1, cap, false, options);
        const parameters = [after, high, wanted];
        const statement = addFilter({ text: this.#sql(form.forwards), parameters }, options);
        return { page: form.read(session, this.#sql, statement), cap, high };
      });
      if (found === undefined) return;
      const { page, cap, high } = found;
      batches.record(page.count, page.characters);
      after = page.count < wanted ? high : page.last;
      yield { page, upTo: after };
      remaining -= page.count;
      if (after >= cap && page.count < wanted) return;
    }
  }

  async *#readBackwards<P extends Page>(form: Form<P>, options: ReadAllOptions): AsyncGenerator<Reached<P>> {
    const { batchSize = defaultBatchSize, after = 0 } = options;
    const batches = new BatchSize(batchSize);
    let to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, await this.#head());
    let remaining = options.limit ?? Number.POSITIVE_INFINITY;
    while (remaining > 0 && to > after) {
      const wanted = Math.min(batches.size, remaining);
      const [low] = window(after + 1, to, true, options);
      const parameters = [low - 1, to, wanted];
      const statement = addFilter({ text: this.#sql(form.backwards), parameters }, options);
      const page = await this.#database.read((session) => form.read(session, this.#sql, statement));
      batches.record(page.count, page.characters);
      const upTo = page.count < wanted ? low : page.last;
      yield { page, upTo };
      remaining -= page.count;
      to = upTo - 1;
    }
  }

  /** A position before all events of that time and later; 0 when they are too many to look for the first. */
  async #lastBefore(since: string): Promise<number> {
    const parameters = [storedTimestamp(since), windowSize];
    const [row] = await this.#database.read((session) => session.query(this.#sql('first-since'), parameters));
    const [count, first] = [toInteger(row?.[0]), toOptional(row?.[1], toInteger)];
    if (first === null) return (await this.#head()) - 1;
    return count === windowSize ? 0 : first - 1;
  }

  #head(): Promise<number> {
    return this.#database.retry(() => readHead(this.#database, this.#sql));
  }

  async #version(streamId: string): Promise<number> {
    const [row] = await this.#database.read((session) => session.query(this.#sql('stream-version'), [streamId]));
    return toInteger(row?.[0]);
  }
}

/** The part of a range to look at now. Without conditions every row matches, and the limit is bound enough. */
function window(
  from: number,
  to: number,
  backwards: boolean,
  { streamId, category, types, since, until, correlationId }: EventFilter,
): readonly [from: number, to: number] {
  const isFiltered = [streamId, category, types, since, until, correlationId].some((part) => part !== undefined);
  if (!isFiltered) return [from, to];
  return backwards ? [Math.max(from, to - windowSize + 1), to] : [from, Math.min(to, from + windowSize - 1)];
}

function readHead(session: Session, sql: SqlFolder): number {
  return toInteger(session.query(sql('head'))[0]?.[0]);
}
