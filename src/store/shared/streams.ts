/** Completes the statements that list streams. */
import type { StreamSummary } from '../../domain/event.js';
import { compareTexts } from '../../domain/where/evaluate.js';
import type { StreamsOptions } from '../store.js';
import { categoryRange } from './filter.js';

/** How far back in the log to look for the streams that changed last, before all streams are read. */
const fewestPositions = 10_000;
const positionsEach = 100;
/** Streams read at a time when all are: in between, signals get their turn. */
const pageSize = 1_000;

const sortOrders = { name: 'n.stream_id', recent: 'e.global_position desc' } as const;

type Parameters = readonly (string | number | null)[];

export interface StreamsStatement {
  readonly text: string;
  readonly parameters: Parameters;
}

/** @param text of streams.sql @param sign of a placeholder */
export function planStreams(
  text: string,
  {
    category,
    prefix,
    sort = 'name',
    limit,
    after,
  }: Names & {
    readonly sort?: 'name' | 'recent' | undefined;
    readonly limit?: number | undefined;
    readonly after?: string;
  },
  sign: string,
): StreamsStatement {
  const sorted = text.replace('/* sort */ n.stream_id', sortOrders[sort]);
  const most = limit ?? null;
  return inRange(sorted, [most, sort === 'name' ? most : null], { category, prefix }, sign, after);
}

/**
 * Reads all streams, page by page, and keeps those with the most events.
 * @param list returns a page of streams by name, of those after one
 */
export async function findLargest(
  list: (page: { readonly limit: number; readonly after?: string }) => Promise<readonly StreamSummary[]>,
  { limit = Number.POSITIVE_INFINITY, signal }: Pick<StreamsOptions, 'limit' | 'signal'>,
): Promise<readonly StreamSummary[]> {
  let largest: StreamSummary[] = [];
  const sort = () =>
    largest.sort((a, b) => b.events - a.events || compareTexts(a.streamId, b.streamId)).slice(0, limit);
  for (let after: string | undefined; ; ) {
    signal?.throwIfAborted();
    const page = await list({ limit: pageSize, ...(after !== undefined && { after }) });
    largest.push(...page);
    if (page.length < pageSize) return sort();
    if (largest.length > limit + 10 * pageSize) largest = sort();
    after = page.at(-1)?.streamId;
  }
}

/** @param text of streams-lately.sql @param head last position of the log */
export function planRecentStreams(
  text: string,
  { category, prefix, limit }: Names & { readonly limit: number },
  head: number,
  sign: string,
): StreamsStatement {
  const after = head - Math.max(fewestPositions, limit * positionsEach);
  return inRange(text, [limit, after], { category, prefix }, sign);
}

interface Names {
  readonly category?: string | undefined;
  readonly prefix?: string | undefined;
}

/** Between two names, so that the index is entered where they begin and left where they end. */
function inRange(
  text: string,
  parameters: Parameters,
  { category, prefix = '' }: Names,
  sign: string,
  after?: string,
): StreamsStatement {
  if (after !== undefined) {
    const from = `stream_id > ${sign}${parameters.length + 1}`;
    const next = text.replace("/* from */ stream_id > ''", () => from);
    return inRange(next, [...parameters, after], { category, prefix }, sign);
  }
  if (category === undefined && prefix === '') return { text, parameters };
  const range = category === undefined ? prefixRange(prefix) : categoryRange(category);
  const [first, second, third] = [1, 2, 3].map((at) => `${sign}${parameters.length + at}`);
  const condition =
    category === undefined
      ? `and stream_id >= ${first}${range.length === 1 ? '' : ` and stream_id < ${second}`}`
      : `and stream_id < ${third} and (stream_id = ${first} or stream_id >= ${second})`;
  return {
    text: text
      .replace("/* from */ stream_id > ''", () => `stream_id >= ${first}`)
      .replaceAll('/* category */', () => condition),
    parameters: [...parameters, ...range],
  };
}

/** The prefix, and the least text that is greater than all that begin with it, where there is one. */
export function prefixRange(prefix: string): readonly string[] {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return [prefix];
  // Halves of surrogate pairs are no characters.
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return [prefix, String.fromCodePoint(...points, next)];
}
