/** Lists streams: reads from stream to stream, at a cost of the streams and not of their events. */
import type { StreamSummary } from '../../../domain/event.js';
import { toInteger, toStreamSummary } from '../../shared/rows.js';
import { findLargest, planRecentStreams, planStreams, type StreamsStatement } from '../../shared/streams.js';
import type { StreamsOptions } from '../../store.js';
import type { Database } from '../connection/database.js';

export async function listStreams(
  database: Database,
  { category, prefix, sort, limit, signal }: StreamsOptions,
): Promise<readonly StreamSummary[]> {
  const list = async ({ text, parameters }: StreamsStatement) =>
    (await database.read((session) => session.query(text, parameters))).map(toStreamSummary);
  if (sort === 'recent' && limit !== undefined) {
    const head = toInteger((await database.read((session) => session.ask('head')))[0]?.[0]);
    const found = await list(planRecentStreams(database.sql('streams-lately'), { category, prefix, limit }, head, '?'));
    if (found.length === limit) return found;
  }
  if (sort === 'events') {
    const byName = (page: object) => list(planStreams(database.sql('streams'), { category, prefix, ...page }, '?'));
    return findLargest(byName, { ...(limit !== undefined && { limit }), ...(signal !== undefined && { signal }) });
  }
  return list(planStreams(database.sql('streams'), { category, prefix, sort, limit }, '?'));
}
