/** Keeps snapshots of aggregates. */
import { planSnapshots, snapshotColumns, toSnapshot, toSnapshotSummary } from '../../shared/snapshots.js';
import type { SnapshotStore } from '../../store.js';
import type { Database } from '../connection/database.js';

const defaultTimeoutMs = 30_000;

export function openSnapshotStore(database: Database): SnapshotStore {
  return {
    async list(options = {}) {
      const { text, parameters } = planSnapshots(database.sql('snapshots'), options, '?', -1);
      return (await database.read((session) => session.query(text, parameters))).map(toSnapshotSummary);
    },
    find: async (streamId) =>
      (await database.read((session) => session.ask('snapshot', [streamId]))).map(toSnapshot)[0],
    async save(snapshot, { timeoutMs = defaultTimeoutMs } = {}) {
      database.assertWritable();
      const rows = await database.transaction(
        (session) => session.ask('save-snapshot', snapshotColumns(snapshot)),
        timeoutMs,
      );
      return rows.length > 0;
    },
    async delete(snapshots) {
      database.assertWritable();
      const places = JSON.stringify(snapshots.map(({ streamId, version }) => [streamId, version]));
      const rows = await database.transaction((session) => session.ask('delete-snapshots', [places]));
      return rows.map(([streamId]) => String(streamId));
    },
  };
}
