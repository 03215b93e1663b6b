/** Reads snapshots of aggregates. */
import { planSnapshots, toSnapshot, toSnapshotSummary } from '../../shared/snapshots.js';
import type { SnapshotReader } from '../../store.js';
import type { Database } from '../connection/database.js';

export function openSnapshotReader(database: Database): SnapshotReader {
  return {
    async list(options = {}) {
      const { text, parameters } = planSnapshots(database.sql('snapshots'), options, '?', -1);
      return (await database.read((session) => session.query(text, parameters))).map(toSnapshotSummary);
    },
    find: async (streamId) =>
      (await database.read((session) => session.ask('snapshot', [streamId]))).map(toSnapshot)[0],
  };
}
