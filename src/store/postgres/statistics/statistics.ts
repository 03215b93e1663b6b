/** Tells what the log holds, from an index or from a few places. */
import { toInteger, toRecordedEvent, toText } from '../../shared/rows.js';
import { toSampledEvent, toTypeSpan } from '../../shared/statistics.js';
import type { LogStatistics } from '../../store.js';
import type { Database } from '../connection/database.js';

export function openLogStatistics(database: Database): LogStatistics {
  return {
    types: async () => (await database.ask('type-spans')).map(toTypeSpan),
    async countType(type, most) {
      const [row] = await database.ask('count-type', [type, most]);
      return toInteger(row?.[0]);
    },
    latest: async (type, limit) => (await database.ask('latest-of-type', [type, limit])).map(toRecordedEvent),
    async sample(ranges) {
      const [after, to] = [ranges.map((range) => range.after), ranges.map((range) => range.to)];
      return (await database.ask('sample', [after, to])).map(toSampledEvent);
    },
    async measureStream(streamId, versions) {
      const [row = []] = await database.ask('measure-stream', [streamId, versions]);
      return { events: toInteger(row[0]), bytes: toInteger(row[1]) };
    },
    async sizes() {
      const rows = await database.ask('store-sizes', [database.schema]);
      const tables = rows.map((row) => ({ table: toText(row[0]), bytes: toInteger(row[1]) }));
      return { bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0), tables };
    },
  };
}
