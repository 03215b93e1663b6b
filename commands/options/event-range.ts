/** Which events the flags of `read`, `tail` and `export` mean, and how to get them. */
import type { Option } from 'commander';
import { type ErrorFacts, EvstoreError } from '../../src/domain/errors.js';
import type { EventBatch, EventQuery } from '../../src/domain/event.js';
import { renderEventLines } from '../../src/domain/event-lines.js';
import { categoryOf } from '../../src/domain/names.js';
import { shellWord } from '../../src/domain/shell-word.js';
import { findSimilar } from '../../src/domain/similar.js';
import { parseDay, parseMoment } from '../../src/domain/timestamp.js';
import { isUuid } from '../../src/domain/uuid.js';
import type { Condition } from '../../src/domain/where/condition.js';
import { parseEventCondition } from '../../src/domain/where/event.js';
import type { LineBatch, ReadAllOptions, Store } from '../../src/store/store.js';
import type { Flags } from './command.js';
import { listOption, namingOption, option } from './option.js';
import { nameList, wholeNumber } from './parse-option.js';

/** Names that are looked at to find the one that was meant. */
const mostNear = 1_000;

export interface EventRange {
  readonly streamId?: string;
  /** Of the stream, inclusive. */
  readonly fromVersion?: number;
  readonly toVersion?: number;
  /** Of the log; `after` exclusive, `to` inclusive. */
  readonly after?: number;
  readonly to?: number;
  readonly backwards: boolean;
  readonly limit?: number;
  /** The other conditions. */
  readonly filter: EventQuery;
}

export function filterOptions(): Option[] {
  return [
    listOption('--category <names>', 'only streams NAME and NAME-…; A,B for several', nameList),
    listOption('--type <names>', 'only events of these types: A,B', nameList),
    option(
      '--since <moment>',
      'only events recorded at or after: ISO time (UTC without a zone), or an age such as 15m',
    ),
    option('--until <moment>', 'only events recorded before: ISO time (UTC without a zone), or an age such as 15m'),
    option('--on <day>', 'only events recorded on this day in UTC: 2026-01-31').conflicts(['since', 'until']),
    option('--correlation-id <id>', 'only events with this correlationId in the metadata'),
    option('--causation-id <id>', 'only events with this causationId in the metadata'),
    option(
      '--where <condition>',
      "only events for which it holds, such as data.total >= 100 and type != 'OrderPaid'; operators: = != < <= > >= in (…) like exists, joined by and, or, not and parentheses; docs/where.md has all",
    ),
  ];
}

/** @param to the name of the upper bound */
export function rangeOptions(to = '--to'): Option[] {
  return [
    option('--from-version <version>', 'first version of the stream, inclusive', wholeNumber(1)),
    option('--to-version <version>', 'last version of the stream, inclusive', wholeNumber(1)),
    option('--after <position>', 'start after this global position', wholeNumber(0)),
    option(`${to} <position>`, 'end at this global position, inclusive', wholeNumber(0)),
    ...filterOptions(),
  ];
}

/** @throws E_USAGE for flags that contradict each other */
export function parseRange(streamId: string | undefined, flags: Flags, now: Date): EventRange {
  const { fromVersion, toVersion, after, to, category } = flags;
  const byVersion = fromVersion !== undefined || toVersion !== undefined;
  if (byVersion && streamId === undefined) {
    throw contradiction('--from-version and --to-version need a stream', 'A version is a place in one stream.');
  }
  if (byVersion && (after !== undefined || to !== undefined)) {
    throw contradiction('versions and global positions cannot be combined', 'Use versions or positions, not both.');
  }
  if (streamId !== undefined && category !== undefined) {
    throw contradiction('a stream and --category cannot be combined', 'A stream is in one category.');
  }
  if (Number(fromVersion) > Number(toVersion)) throw contradiction('--from-version is after --to-version');
  if (to !== undefined && Number(after) >= Number(to)) throw contradiction('--after is not before --to');
  const range = { streamId, fromVersion, toVersion, after, to, limit: flags.limit };
  const filter = parseFilter(flags, now);
  return { ...defined(range), backwards: flags.backwards === true, filter };
}

function parseFilter(flags: Flags, now: Date): EventQuery {
  const { category: categories, type: types, since, until, on, correlationId, causationId } = flags;
  const [category, ...others] = (categories ?? []) as readonly string[];
  const moment = (text: unknown) => (typeof text === 'string' ? parseMoment(text, now) : undefined);
  const named = others.length === 0 ? { category } : { categories };
  return defined({
    ...named,
    types,
    since: moment(since),
    until: moment(until),
    ...(typeof on === 'string' && namingOption('--on', () => parseDay(on))),
    correlationId,
    causationId,
    where: parseWhere(flags, now),
  });
}

function parseWhere({ where }: Flags, now: Date): Condition | undefined {
  if (typeof where !== 'string') return undefined;
  return namingOption('--where', () => parseEventCondition(where, now));
}

/** One stream by version, or the log by position, whose guards are checked first. */
export async function* readRange(store: Store, range: EventRange): AsyncGenerator<EventBatch> {
  if (isByVersion(range)) {
    yield* readVersions(store, range);
    return;
  }
  await store.schema.assertGuards();
  yield* store.log.readAll(logRange(range));
}

/** As `readRange`, as lines. */
export async function* readLineRange(store: Store, range: EventRange): AsyncGenerator<LineBatch> {
  if (isByVersion(range)) {
    for await (const { events, upTo } of readVersions(store, range)) {
      yield { lines: renderEventLines(events), events: events.length, upTo };
    }
    return;
  }
  await store.schema.assertGuards();
  yield* store.log.readLines(logRange(range));
}

type StreamRange = EventRange & { readonly streamId: string };

function isByVersion(range: EventRange): range is StreamRange {
  return range.streamId !== undefined && range.after === undefined && range.to === undefined;
}

function readVersions(store: Store, range: StreamRange): AsyncIterable<EventBatch> {
  const { streamId, fromVersion, toVersion, backwards, limit, filter } = range;
  return store.log.readStream(streamId, { ...filter, backwards, ...defined({ fromVersion, toVersion, limit }) });
}

function logRange({ streamId, after, to, backwards, limit, filter }: EventRange): ReadAllOptions {
  return { ...filter, backwards, ...defined({ streamId, after, to, limit }) };
}

/** Whether anything but the whole log, or a whole stream, is asked for. */
export function isNarrowed({ fromVersion, toVersion, after, to, filter }: EventRange): boolean {
  return [fromVersion, toVersion, after, to, ...Object.values(filter)].some((condition) => condition !== undefined);
}

/** @throws E_NOT_FOUND with what was probably meant: a category, the beginning of names, an event, another name */
export async function assertStreamExists(store: Store, streamId: string): Promise<void> {
  for await (const { events } of store.log.readStream(streamId, { limit: 1 })) {
    if (events.length > 0) return;
  }
  throw new EvstoreError('E_NOT_FOUND', `stream ${streamId} does not exist`, await findMeant(store, streamId));
}

async function findMeant({ log }: Store, streamId: string): Promise<ErrorFacts> {
  const event = isUuid(streamId) ? await log.find(streamId.toLowerCase()) : undefined;
  if (event !== undefined) {
    const { version } = event;
    return {
      why: `It is the id of an event: version ${version} of ${event.streamId}.`,
      next: `evstore show ${event.id}`,
      details: { streamId, event: event.id },
    };
  }
  const [first] = await log.streams({ category: streamId, limit: 1 });
  if (first !== undefined) {
    return {
      why: `It is a category: streams such as ${first.streamId} are in it.`,
      next: `evstore read --category ${shellWord(streamId)}`,
      details: { streamId, category: streamId },
    };
  }
  const [longer] = await log.streams({ prefix: streamId, limit: 1 });
  if (longer !== undefined) {
    return {
      why: `The names of streams such as ${longer.streamId} begin with it.`,
      next: `evstore streams --prefix ${shellWord(streamId)}`,
      details: { streamId, prefix: streamId },
    };
  }
  const meant = findSimilar(streamId, await listNear(log, streamId));
  if (meant !== undefined) {
    const next = `evstore read ${shellWord(meant)}`;
    return { why: `Did you mean ${meant}?`, next, details: { streamId, meant } };
  }
  const category = categoryOf(streamId);
  const [other] = await log.streams({ category, limit: 1 });
  if (other === undefined || category === streamId) return { next: 'evstore streams', details: { streamId } };
  return {
    why: `There are other streams of the category ${category}, such as ${other.streamId}.`,
    next: `evstore streams --prefix ${shellWord(`${category}-`)}`,
    details: { streamId },
  };
}

/** Streams that begin in the same way, as far as there are any; those of the category; and some of all. */
async function listNear(log: Store['log'], streamId: string): Promise<readonly string[]> {
  const letters = [...streamId];
  const near: string[] = [];
  for (let kept = letters.length - 1; kept >= letters.length / 2 && near.length === 0; kept -= 1) {
    const begun = await log.streams({ prefix: letters.slice(0, kept).join(''), limit: mostNear });
    near.push(...begun.map((stream) => stream.streamId));
  }
  const sameCategory = await log.streams({ category: categoryOf(streamId), limit: mostNear });
  const some = sameCategory.length > 0 ? [] : await log.streams({ limit: mostNear });
  return [...near, ...[...sameCategory, ...some].map((stream) => stream.streamId)];
}

function contradiction(what: string, why?: string): EvstoreError {
  return new EvstoreError('E_USAGE', what, { why });
}

/** Without the members that are undefined; the options' parsers have made sure of the types. */
// biome-ignore lint/suspicious/noExplicitAny: flags are unknown until their parser has run
function defined(members: Readonly<Record<string, unknown>>): any {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
