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
  { category, sort = 'name', limit }: { readonly [Option in keyof StreamsOptions]: StreamsOptions[Option] | undefined },
  sign: string,
): StreamsStatement {
  const sorted = text.replace('/* sort */ n.stream_id', sortOrders[sort]);
  const most = limit ?? null;
  return inCategory(sorted, [most, sort === 'name' ? most : null], category, sign);
}

/** @param text of streams-lately.sql @param head last position of the log */
export function planRecentStreams(
  text: string,
  { category, limit }: { readonly category?: string | undefined; readonly limit: number },
  head: number,
  sign: string,
): StreamsStatement {
  const after = head - Math.max(fewestPositions, limit * positionsEach);
  return inCategory(text, [limit, after], category, sign);
}

/** Between two names, so that the index is entered where the category begins and left where it ends. */
function inCategory(
  text: string,
  parameters: Parameters,
  category: string | undefined,
  sign: string,
): StreamsStatement {
  if (category === undefined) return { text, parameters };
  const [whole, from, to] = [1, 2, 3].map((place) => `${sign}${parameters.length + place}`);
  const condition = `and stream_id < ${to} and (stream_id = ${whole} or stream_id >= ${from})`;
  return {
    text: text
      .replace("/* from */ stream_id > ''", () => `stream_id >= ${whole}`)
      .replaceAll('/* category */', () => condition),
    parameters: [...parameters, ...categoryRange(category)],
  };
}
