/** Tells what the log holds, from an index or from a few places. */
import { toInteger, toText } from '../../shared/rows.js';
import { toSampledEvent, toTypeSpan } from '../../shared/statistics.js';
import type { LogStatistics } from '../../store.js';
import type { Database } from '../connection/database.js';
import { readEvents } from '../log/read-events.js';

export function openLogStatistics(database: Database): LogStatistics {
  return {
    types: () => database.read((session) => session.ask('type-spans').map(toTypeSpan)),
    async countType(type, most) {
      const [row] = await database.read((session) => session.ask('count-type', [type, most]));
      return toInteger(row?.[0]);
    },
    latest(type, limit) {
      const text = database.sql('latest-of-type');
      return database.read((session) => readEvents(session, { text, parameters: [type, limit] }));
    },
    /** Each range is a piece of work of its own, after which the process is free. */
    async sample(ranges) {
      const events = [];
      for (const { after, to } of ranges) {
        events.push(...(await database.read((session) => session.ask('sample', [after, to]).map(toSampledEvent))));
      }
      return events;
    },
    async measureStream(streamId, versions) {
      const parameters = [streamId, JSON.stringify(versions)];
      const [row = []] = await database.read((session) => session.ask('measure-stream', parameters));
      return { events: toInteger(row[0]), bytes: toInteger(row[1]) };
    },
    async sizes(each) {
      const [row] = await database.read((session) => session.ask('store-pages'));
      const rows = each ? await database.read((session) => session.ask('store-sizes')) : undefined;
      const tables = rows?.map(([table, bytes]) => ({ table: toText(table), bytes: toInteger(bytes) }));
      return { bytes: toInteger(row?.[0]), tables };
    },
  };
}
