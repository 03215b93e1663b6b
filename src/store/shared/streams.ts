/** Completes the statements that list streams. */
import type { StreamsOptions } from '../store.js';
import { categoryRange } from './filter.js';

/** How far back in the log to look for the streams that changed last, before all streams are read. */
const fewestPositions = 10_000;
const positionsEach = 100;

const sortOrders = {
  name: 'n.stream_id',
  events: 'e.version desc, n.stream_id',
  recent: 'e.global_position desc',
} as const;

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
  }: { readonly [Option in keyof StreamsOptions]: StreamsOptions[Option] | undefined },
  sign: string,
): StreamsStatement {
  const sorted = text.replace('/* sort */ n.stream_id', sortOrders[sort]);
  const most = limit ?? null;
  return inRange(sorted, [most, sort === 'name' ? most : null], { category, prefix }, sign);
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
): StreamsStatement {
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
