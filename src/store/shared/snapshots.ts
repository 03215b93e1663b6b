/** Completes the statement that lists snapshots, reads its rows, and orders the parameters of the one that stores them. */
import type { NewSnapshot, Snapshot, SnapshotOrigin, SnapshotSummary, SnapshotsOptions } from '../snapshot-store.js';
import { categoryRange } from './filter.js';
import { type RawRow, toInteger, toText, toTimestamp } from './rows.js';
import { prefixRange } from './streams.js';

const sortOrders = {
  name: 's.stream_id',
  age: 's.created_at, s.stream_id',
  size: 'bytes desc, s.stream_id',
  events: 'stream_version - s.version desc, s.stream_id',
} as const;

/** @param text of snapshots.sql @param sign of a placeholder @param most what stands for no limit */
export function planSnapshots(
  text: string,
  { streamType, category, prefix = '', after, sort = 'name', limit }: SnapshotsOptions,
  sign: string,
  most: number | null,
): { readonly text: string; readonly parameters: readonly (string | number | null)[] } {
  const given = [limit ?? most, streamType ?? null, after ?? null];
  const range = category !== undefined ? categoryRange(category) : prefix === '' ? [] : prefixRange(prefix);
  const [first, second, third] = [1, 2, 3].map((at) => `${sign}${given.length + at}`);
  const condition =
    category !== undefined
      ? `and s.stream_id < ${third} and (s.stream_id = ${first} or s.stream_id >= ${second})`
      : `and s.stream_id >= ${first}${range.length === 1 ? '' : ` and s.stream_id < ${second}`}`;
  return {
    text: text
      .replace('/* sort */ s.stream_id', sortOrders[sort])
      .replace('/* names */', () => (range.length === 0 ? '' : condition)),
    parameters: [...given, ...range],
  };
}

/**
 * Stream, type, version, version of the stream, bytes, time, aggregate, state version, hash, id of its event, id of that of
 * the stream.
 */
export function toSnapshotSummary(row: RawRow): SnapshotSummary {
  return {
    streamId: toText(row[0]),
    streamType: toText(row[1]),
    version: toInteger(row[2]),
    streamVersion: toInteger(row[3]),
    bytes: toInteger(row[4]),
    createdAt: toTimestamp(row[5]),
    origin: toOrigin(row),
    storedEventId: row[10] === null ? null : toText(row[10]).toLowerCase(),
  };
}

/** The same, then the data. */
export function toSnapshot(row: RawRow): Snapshot {
  return { ...toSnapshotSummary(row), data: toText(row[11]) };
}

/** The parameters of save-snapshot.sql. */
export function snapshotColumns(snapshot: NewSnapshot): readonly (string | number)[] {
  const { streamId, streamType, data, version, aggregate, stateVersion, codeHash, eventId } = snapshot;
  return [streamId, streamType, data, version, aggregate, stateVersion, codeHash, eventId];
}

function toOrigin([, , , , , , aggregate, stateVersion, codeHash, eventId]: RawRow): SnapshotOrigin | null {
  if (aggregate === null) return null;
  return {
    aggregate: toText(aggregate),
    stateVersion: toInteger(stateVersion),
    codeHash: toText(codeHash),
    eventId: toText(eventId).toLowerCase(),
  };
}
