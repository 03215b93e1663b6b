/** Converts the rows of an append. */
import type { AppendFacts, AppendRequest } from '../../domain/append-outcome.js';
import { EvstoreError } from '../../domain/errors.js';
import type { AppendedEvent, AppendResult } from '../../domain/event.js';
import { type RawRow, toInteger, toText } from './rows.js';

/** @param appended in order */
export function toAppendResult({ streamId }: AppendRequest, appended: readonly AppendedEvent[]): AppendResult {
  const last = appended.at(-1);
  if (last === undefined) throw new EvstoreError('E_BUG', 'an append of no events reached the store');
  const { version, globalPosition } = last;
  return { streamId, events: appended, version, globalPosition, deduplicated: false };
}

/** Columns as in append-facts.sql. */
export function toAppendFacts(rows: readonly RawRow[]): AppendFacts {
  const known = rows
    .filter(([kind]) => kind === 'known')
    .map((row) => ({
      id: toText(row[1]).toLowerCase(),
      streamId: toText(row[2]),
      version: toInteger(row[3]),
      globalPosition: toInteger(row[4]),
      type: toText(row[5]),
      data: toText(row[6]),
      metadata: toText(row[7]),
    }));
  const lastEvents = rows
    .filter(([kind]) => kind === 'last')
    .map((row) => ({ version: toInteger(row[3]), type: toText(row[5]), id: toText(row[1]).toLowerCase() }))
    .sort((a, b) => a.version - b.version);
  return { actualVersion: lastEvents.at(-1)?.version ?? 0, known, lastEvents };
}

export function tooManyRivals(streamId: string): EvstoreError {
  return new EvstoreError('E_TIMEOUT', `could not append to ${streamId} in time`, {
    why: 'Other programs kept appending to the stream.',
  });
}
