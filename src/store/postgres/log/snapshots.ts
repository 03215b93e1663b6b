/** Keeps snapshots of aggregates. */
import { planSnapshots, snapshotColumns, toSnapshot, toSnapshotSummary } from '../../shared/snapshots.js';
import type { SnapshotStore } from '../../store.js';
import { type Database, lockTimeout } from '../connection/database.js';

const defaultTimeoutMs = 30_000;

export function openSnapshotStore(database: Database): SnapshotStore {
  return {
    async list(options = {}) {
      const { text, parameters } = planSnapshots(database.sql('snapshots'), options, '$', null);
      return (await database.query(text, parameters)).map(toSnapshotSummary);
    },
    find: async (streamId) => (await database.ask('snapshot', [streamId])).map(toSnapshot)[0],
    async save(snapshot, { timeoutMs = defaultTimeoutMs } = {}) {
      database.assertWritable();
      const rows = await database.transaction(
        (session) => session.ask('save-snapshot', snapshotColumns(snapshot), timeoutMs),
        { prelude: lockTimeout(timeoutMs) },
      );
      return rows.length > 0;
    },
    async delete(snapshots) {
      database.assertWritable();
      const parameters = [snapshots.map(({ streamId }) => streamId), snapshots.map(({ version }) => version)];
      return (await database.ask('delete-snapshots', parameters)).map(([streamId]) => String(streamId));
    },
  };
}
