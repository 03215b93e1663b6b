/** The log on Postgres: what `append` and `importEvents` write and every reader sees. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditFilter, Tally } from '../../../domain/audit.js';
import type {
  AppendResult,
  EventBatch,
  ExpectedVersion,
  Head,
  Holder,
  NewEvent,
  RecordedEvent,
  StreamSummary,
} from '../../../domain/event.js';
import { renderEventLines } from '../../../domain/event-lines.js';
import { isUuid } from '../../../domain/uuid.js';
import { BatchSize } from '../../shared/batch-size.js';
import { readAhead } from '../../shared/read-ahead.js';
import { toInteger, toOptional, toRecordedEvent, toText } from '../../shared/rows.js';
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
import type { Database } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';
import { append } from './append.js';
import { addCopiedEvents } from './copied-events.js';
import { importEvents } from './import.js';
import { inspectLog, tally } from './integrity.js';
import { listStreams } from './streams.js';

const defaultBatchSize = 2000;
/** Of the texts of one batch. */
const mostCharacters = 33_554_432;
/** How often a reader that has everything asks for more: what an event waits for on its way to it, at most. */
const pollMs = 5;
/** While more come in a millisecond, each look costs those who append more than it brings: it is put off, up to so long. */
const manyPerMs = 3;
const longestPollMs = 40;
const pollTimeoutMs = 30_000;

export class PostgresEventLog implements EventLog {
  readonly #database: Database;
  readonly #sql: SqlFolder;
  readonly #schema: string;
  #pollMs = pollMs;

  constructor(database: Database, sql: SqlFolder, schema: string) {
    this.#database = database;
    this.#sql = sql;
    this.#schema = schema;
  }

  append(
    streamId: string,
    events: readonly NewEvent[],
    expected: ExpectedVersion,
    options?: AppendOptions,
  ): Promise<AppendResult> {
    const place = { database: this.#database, sql: this.#sql, schema: this.#schema };
    return append(place, { streamId, events, expected }, options);
  }

  importEvents(
    events: readonly ImportedEvent[],
    options: { readonly conflict: 'skip' | 'fail' },
  ): Promise<ImportResult> {
    return importEvents(this.#database, this.#sql, events, options.conflict);
  }

  async importBatches(batches: AsyncIterable<readonly ImportedEvent[]>, options: ImportOptions): Promise<void> {
    for await (const batch of readAhead(batches)) options.committed(await this.importEvents(batch, options));
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
    let to = options.toVersion ?? Number.MAX_SAFE_INTEGER;
    let remaining = options.limit ?? Number.POSITIVE_INFINITY;
    while (remaining > 0 && from <= to) {
      const wanted = Math.min(batches.size, remaining);
      const statement = addFilter(
        {
          text: this.#sql(backwards ? 'read-stream-backwards' : 'read-stream'),
          parameters: [streamId, from, to, wanted],
        },
        options,
      );
      const { events, isCut } = await this.#readEvents(statement, batches);
      const last = events.at(-1);
      if (last === undefined) return;
      yield { events, upTo: last.globalPosition };
      if (events.length < wanted && !isCut) return;
      remaining -= events.length;
      if (backwards) to = last.version - 1;
      else from = last.version + 1;
    }
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<EventBatch> {
    return options.backwards === true ? this.#readBackwards(options) : this.#readForwards(options);
  }

  /** The next events are on their way while lines are made of these. */
  async *readLines(options: ReadAllOptions = {}): AsyncGenerator<LineBatch> {
    for await (const { events, upTo } of readAhead(this.readAll(options))) {
      yield { lines: renderEventLines(events), events: events.length, upTo };
    }
  }

  async find(id: string): Promise<RecordedEvent | undefined> {
    if (!isUuid(id)) return undefined;
    const [row] = await this.#database.query(this.#sql('find'), [id]);
    return row === undefined ? undefined : toRecordedEvent(row);
  }

  async head(options: { readonly holder?: boolean } = {}): Promise<Head> {
    const safeHead = await this.#safeHead(-1);
    const [row] = await this.#database.query(this.#sql('head'));
    const head = toInteger(row?.[0]);
    const isHeldBack = options.holder === true && safeHead < head;
    return { head, safeHead, heldBackBy: isHeldBack ? await this.#holder() : null };
  }

  async waitForAppend(
    after: number,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<number> {
    const { timeoutMs, signal } = options;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // First, because who asks has just read all there was: a reader under load would ask for each event.
      const pauseMs = Math.max(0, Math.min(this.#pollMs, deadline - Date.now()));
      await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
      const safeHead = await this.#safeHead(after);
      const isMany = safeHead - after >= manyPerMs * this.#pollMs;
      this.#pollMs = isMany ? Math.min(this.#pollMs * 2, longestPollMs) : pollMs;
      if (safeHead > after || Date.now() >= deadline || signal?.aborted) return safeHead;
    }
  }

  streams(options: StreamsOptions = {}): Promise<readonly StreamSummary[]> {
    return listStreams(this.#database, this.#sql, options);
  }

  /** A safe head stays valid for ever, so it is asked for anew only when the reader has come up to the last one. */
  async *#readForwards(options: ReadAllOptions): AsyncGenerator<EventBatch> {
    const { batchSize = defaultBatchSize, safeHead = Number.MAX_SAFE_INTEGER } = options;
    const to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, safeHead);
    const batches = new BatchSize(batchSize);
    let after = options.after ?? 0;
    let remaining = options.limit ?? Number.POSITIVE_INFINITY;
    let cap = options.safeHead === undefined ? after : to;
    while (remaining > 0 && after < to) {
      const isCapFresh = after >= cap;
      if (isCapFresh) cap = Math.min(to, await this.#safeHead(after));
      if (cap <= after) return;
      const wanted = Math.min(batches.size, remaining);
      const { events, isCut } = await this.#readEvents(
        addFilter({ text: this.#sql('read-all'), parameters: [after, cap, wanted] }, options),
        batches,
      );
      const last = events.at(-1);
      after = (events.length < wanted && !isCut) || last === undefined ? cap : last.globalPosition;
      yield { events, upTo: after };
      remaining -= events.length;
      if (isCapFresh && after >= cap) return;
    }
  }

  async *#readBackwards(options: ReadAllOptions): AsyncGenerator<EventBatch> {
    const { batchSize = defaultBatchSize, after = 0 } = options;
    const batches = new BatchSize(batchSize);
    let to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, await this.#safeHead(-1));
    let remaining = options.limit ?? Number.POSITIVE_INFINITY;
    while (remaining > 0 && to > after) {
      const wanted = Math.min(batches.size, remaining);
      const { events, isCut } = await this.#readEvents(
        addFilter({ text: this.#sql('read-all-backwards'), parameters: [after, to, wanted] }, options),
        batches,
      );
      const last = events.at(-1);
      const upTo = (events.length < wanted && !isCut) || last === undefined ? after + 1 : last.globalPosition;
      yield { events, upTo };
      remaining -= events.length;
      to = upTo - 1;
    }
  }

  /** Events much larger than those before could fill the memory: what is too much is read over, and asked for again. */
  async #readEvents(
    { text, parameters }: ReturnType<typeof addFilter>,
    batches: BatchSize,
  ): Promise<{ readonly events: readonly RecordedEvent[]; readonly isCut: boolean }> {
    const events: RecordedEvent[] = [];
    let characters = 0;
    let isCut = false;
    await this.#database.copyOut(text, parameters, (lines) => {
      isCut = characters > mostCharacters;
      if (isCut) return;
      characters += lines.length;
      addCopiedEvents(lines, events);
    });
    batches.record(events.length, characters);
    return { events, isCut };
  }

  async #safeHead(after: number): Promise<number> {
    const [row] = await this.#database.queryAgain(this.#sql('safe-head'), [after], pollTimeoutMs);
    return toInteger(row?.[0]);
  }

  async #holder(): Promise<Holder | null> {
    const [tagRow] = await this.#database.query(this.#sql('tag'));
    const [row] = await this.#database.query(this.#sql('holder'), [toInteger(tagRow?.[0])]);
    if (row === undefined) return null;
    const [pid, gid, application, state, ageMs] = row;
    return {
      pid: toOptional(pid, toInteger),
      gid: toOptional(gid, toText),
      application: toOptional(application, toText),
      state: toOptional(state, toText),
      ageMs: toOptional(ageMs, toInteger),
    };
  }
}
