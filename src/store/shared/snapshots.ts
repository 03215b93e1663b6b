/** Completes the statement that lists snapshots, and reads its rows. */
import type { Snapshot, SnapshotSummary, SnapshotsOptions } from '../snapshot-reader.js';
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
  { streamType, category, prefix = '', stale = false, sort = 'name', limit }: SnapshotsOptions,
  sign: string,
  most: number | null,
): { readonly text: string; readonly parameters: readonly (string | number | null)[] } {
  const given = [limit ?? most, streamType ?? null, stale ? 1 : 0];
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

/** Stream, type, version, version of the stream, bytes, time. */
export function toSnapshotSummary(row: RawRow): SnapshotSummary {
  return {
    streamId: toText(row[0]),
    streamType: toText(row[1]),
    version: toInteger(row[2]),
    streamVersion: toInteger(row[3]),
    bytes: toInteger(row[4]),
    createdAt: toTimestamp(row[5]),
  };
}

/** The same, then the data. */
export function toSnapshot(row: RawRow): Snapshot {
  return { ...toSnapshotSummary(row), data: toText(row[6]) };
}
