/** Reads snapshots of aggregates. */
import { planSnapshots, toSnapshot, toSnapshotSummary } from '../../shared/snapshots.js';
import type { SnapshotReader } from '../../store.js';
import type { Database } from '../connection/database.js';

export function openSnapshotReader(database: Database): SnapshotReader {
  return {
    async list(options = {}) {
      const { text, parameters } = planSnapshots(database.sql('snapshots'), options, '$', null);
      return (await database.query(text, parameters)).map(toSnapshotSummary);
    },
    find: async (streamId) => (await database.ask('snapshot', [streamId])).map(toSnapshot)[0],
  };
}
