/** Which streams there are: found from stream to stream, at a cost of the streams and not of their events. */
import type { StreamSummary } from '../../../domain/event.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { StreamsOptions } from '../../store.js';
import type { Database, Parameter } from '../connection/database.js';
import { toInteger, toStreamSummary } from '../connection/rows.js';

/** How far back the streams that moved last are looked for in the log, before all streams are asked. */
const fewestPositions = 10_000;
const positionsEach = 100;

const sortOrders = {
  name: 'n.stream_id',
  events: 'e.version desc, n.stream_id',
  recent: 'e.global_position desc',
} as const;

export async function listStreams(
  database: Database,
  sql: SqlFolder,
  { category, sort = 'name', limit }: StreamsOptions,
): Promise<readonly StreamSummary[]> {
  const query = async (text: string, parameters: readonly Parameter[]) => {
    const statement = inCategory(text, parameters, category);
    const rows = await database.read((session) => session.query(statement.text, statement.parameters));
    return rows.map(toStreamSummary);
  };
  if (sort === 'recent' && limit !== undefined) {
    const head = toInteger((await database.read((session) => session.query(sql('head'))))[0]?.[0]);
    const found = await query(sql('streams-lately'), [limit, head - Math.max(fewestPositions, limit * positionsEach)]);
    if (found.length === limit) return found;
  }
  const text = sql('streams').replace('/* sort */ n.stream_id', sortOrders[sort]);
  const most = limit ?? null;
  return query(text, [most, sort === 'name' ? most : null]);
}

/** Between two names, so that the index is entered where the category begins and left where it ends. '.' follows '-' in UTF-8. */
function inCategory(text: string, parameters: readonly Parameter[], category: string | undefined) {
  if (category === undefined) return { text, parameters };
  const [whole, from, to] = [1, 2, 3].map((place) => `?${parameters.length + place}`);
  const condition = `and stream_id < ${to} and (stream_id = ${whole} or stream_id >= ${from})`;
  return {
    text: text
      .replace("/* from */ stream_id > ''", () => `stream_id >= ${whole}`)
      .replaceAll('/* category */', () => condition),
    parameters: [...parameters, category, `${category}-`, `${category}.`],
  };
}
