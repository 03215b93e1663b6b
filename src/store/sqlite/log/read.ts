/** Reads streams and the log in batches. */
import type { EventBatch, EventQuery } from '../../../domain/event.js';
import { BatchSize } from '../../shared/batch-size.js';
import { inOrder } from '../../shared/filter.js';
import { toInteger, toOptional } from '../../shared/rows.js';
import type { LineBatch, ReadAllOptions, ReadStreamOptions } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { addFilter, type FilteredStatement } from '../connection/filter.js';
import { readIdIndexes } from '../schema/id-indexes.js';
import { readHead } from './head.js';
import { readEventPage } from './read-events.js';
import { readLines } from './read-lines.js';

const defaultBatchSize = 1000;
/** Positions or versions looked at in one go when most may not match: a few milliseconds. */
const windowSize = 10_000;

/** The result of one statement. */
interface Page {
  readonly count: number;
  readonly characters: number;
  readonly last: number;
}

/** The form in which the events of the log are read. */
interface Form<P extends Page> {
  readonly statement: string;
  readonly read: (session: Session, statement: FilteredStatement) => P;
}

interface Reached<P extends Page> {
  readonly page: P;
  readonly upTo: number;
}

export async function* readStream(
  database: Database,
  streamId: string,
  options: ReadStreamOptions,
): AsyncGenerator<EventBatch> {
  const { backwards = false, batchSize = defaultBatchSize } = options;
  const text = inOrder(database.sql('read-stream'), backwards);
  const batches = new BatchSize(batchSize);
  const [row] = await database.read((session) => session.ask('stream-version', [streamId]));
  let from = options.fromVersion ?? 1;
  let to = Math.min(options.toVersion ?? Number.MAX_SAFE_INTEGER, toInteger(row?.[0]));
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  while (remaining > 0 && from <= to) {
    const wanted = Math.min(batches.size, remaining);
    const [low, high] = window(from, to, backwards, options);
    const statement = addFilter({ text, parameters: [streamId, low, high, wanted] }, options);
    const page = await database.read((session) => readEventPage(session, statement));
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

export async function* readAll(database: Database, options: ReadAllOptions): AsyncGenerator<EventBatch> {
  const form = { statement: 'read-all', read: readEventPage };
  for await (const { page, upTo } of readPages(database, form, options)) yield { events: page.events, upTo };
}

export async function* readAllLines(database: Database, options: ReadAllOptions): AsyncGenerator<LineBatch> {
  const form = { statement: 'read-lines', read: readLines };
  for await (const { page, upTo } of readPages(database, form, options)) {
    yield { lines: page.lines, events: page.count, upTo };
  }
}

/** With an index that leads to the events there is nothing to look through. */
async function* readPages<P extends Page>(
  database: Database,
  form: Form<P>,
  options: ReadAllOptions,
): AsyncGenerator<Reached<P>> {
  const read = options.backwards === true ? readBackwards : readForwards;
  const part = (await isIndexed(database, options)) ? wholeRange : window;
  yield* read(database, form, options, part);
}

async function isIndexed(database: Database, filter: ReadAllOptions): Promise<boolean> {
  if (await isLedByName(database, filter)) return true;
  const keys = (['correlationId', 'causationId'] as const).filter((key) => filter[key] !== undefined);
  if (keys.length === 0 || filter.streamId !== undefined) return false;
  const indexes = await database.read(readIdIndexes);
  return indexes.some(({ key, state }) => keys.includes(key) && state === 'ready');
}

/**
 * Of one type, or of a stream that is not large, without another condition: an index has the events of a type in the order in
 * which they are read, and those of a stream are sorted at once.
 */
async function isLedByName(database: Database, filter: ReadAllOptions): Promise<boolean> {
  const { streamId, types, category, categories, since, until, correlationId, causationId, where } = filter;
  const others = [category, categories, since, until, correlationId, causationId, where];
  if (others.some((part) => part !== undefined)) return false;
  if (streamId === undefined) return types?.length === 1;
  if (types !== undefined) return false;
  const [row] = await database.read((session) => session.ask('stream-version', [streamId]));
  return toInteger(row?.[0]) <= windowSize;
}

/** Rows and head are seen in one snapshot. Between batches the process is free, and so is the connection. */
async function* readForwards<P extends Page>(
  database: Database,
  form: Form<P>,
  options: ReadAllOptions,
  part: typeof window,
): AsyncGenerator<Reached<P>> {
  const { batchSize = defaultBatchSize, safeHead = Number.MAX_SAFE_INTEGER } = options;
  const text = database.sql(form.statement);
  const to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, safeHead);
  const batches = new BatchSize(batchSize);
  let after = options.after ?? 0;
  if (options.since !== undefined) after = Math.max(after, await findBefore(database, options.since));
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  while (remaining > 0 && after < to) {
    const wanted = Math.min(batches.size, remaining);
    const found = await database.read((session) => {
      const cap = Math.min(to, readHead(session));
      if (cap <= after) return undefined;
      const [, high] = part(after + 1, cap, false, options);
      const statement = addFilter({ text, parameters: [after, high, wanted] }, options);
      return { page: form.read(session, statement), cap, high };
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

async function* readBackwards<P extends Page>(
  database: Database,
  form: Form<P>,
  options: ReadAllOptions,
  part: typeof window,
): AsyncGenerator<Reached<P>> {
  const { batchSize = defaultBatchSize, after = 0 } = options;
  const text = inOrder(database.sql(form.statement), true);
  const batches = new BatchSize(batchSize);
  const head = await database.retry(() => readHead(database));
  let to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, head);
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  while (remaining > 0 && to > after) {
    const wanted = Math.min(batches.size, remaining);
    const [low] = part(after + 1, to, true, options);
    const statement = addFilter({ text, parameters: [low - 1, to, wanted] }, options);
    const page = await database.read((session) => form.read(session, statement));
    batches.record(page.count, page.characters);
    const upTo = page.count < wanted ? low : page.last;
    yield { page, upTo };
    remaining -= page.count;
    to = upTo - 1;
  }
}

/** Returns a position before all events of that time and later; 0 when there are too many to look for the first. */
async function findBefore(database: Database, since: string): Promise<number> {
  const statement = addFilter({ text: database.sql('first-since'), parameters: [windowSize] }, { since });
  const [row, head] = await database.read((session) => [
    session.query(statement.text, statement.parameters)[0],
    readHead(session),
  ]);
  const first = toOptional(row?.[1], toInteger);
  if (first === null) return head - 1;
  return toInteger(row?.[0]) === windowSize ? 0 : first - 1;
}

function wholeRange(from: number, to: number): readonly [from: number, to: number] {
  return [from, to];
}

/** Returns the part of a range to look at now. Without conditions every row matches, and the limit is enough. */
function window(
  from: number,
  to: number,
  backwards: boolean,
  { streamId, category, categories, types, since, until, correlationId, causationId, where }: EventQuery,
): readonly [from: number, to: number] {
  const conditions = [streamId, category, categories, types, since, until, correlationId, causationId, where];
  const isFiltered = conditions.some((part) => part !== undefined);
  if (!isFiltered) return [from, to];
  return backwards ? [Math.max(from, to - windowSize + 1), to] : [from, Math.min(to, from + windowSize - 1)];
}
