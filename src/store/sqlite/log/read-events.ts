/** Reads events from statements that return one text a row, with the columns of cut-event.ts. */

import { EvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent } from '../../../domain/event.js';
import { groupDigits } from '../../../domain/numbers.js';
import { cutEvent, type RowSpelling } from '../../shared/cut-event.js';
import { toInteger, toRecordedEvent, toTimestamp } from '../../shared/rows.js';
import type { Session } from '../connection/database.js';
import type { FilteredStatement } from '../connection/filter.js';

const separator = '\x1f';
const usualTimeLength = '2026-01-31T09:30:00.123456Z'.length;
const [point, digit0, digit9, letterT, letterZ] = [46, 48, 57, 84, 90];
const spelling: RowSpelling = {
  separator,
  cutTimestamp,
  toInteger: (digits) => toInteger(Number(digits)),
};

export interface EventPage {
  readonly events: readonly RecordedEvent[];
  readonly count: number;
  readonly characters: number;
  /** Position of the last one; 0 without any. */
  readonly last: number;
}

export function readEventPage(session: Session, statement: FilteredStatement): EventPage {
  const events = readEvents(session, statement);
  let characters = 0;
  for (const { data, metadata } of events) characters += data.length + metadata.length;
  return { events, count: events.length, characters, last: events.at(-1)?.globalPosition ?? 0 };
}

export function readEvents(session: Session, { text, parameters }: FilteredStatement): readonly RecordedEvent[] {
  return session.texts(text, parameters).map((row) => {
    return cutEvent(spelling, row, 0, row.length) ?? readAt(session, Number(row.split(separator, 2)[1]));
  });
}

/** Reads an event that is spelt in an unusual way. */
export function readAt(session: Session, position: number): RecordedEvent {
  const [row] = session.ask('find-at', [position]);
  if (row === undefined)
    throw new EvstoreError('E_CORRUPT', `the event at position ${groupDigits(position)} cannot be read`);
  return toRecordedEvent(row);
}

/** Takes `2026-01-31T09:30:00.123456Z`, as this store writes it; other spellings take the slow path. */
function cutTimestamp(text: string, from: number, to: number): string {
  const isUsual =
    to - from === usualTimeLength &&
    text.charCodeAt(from + 10) === letterT &&
    text.charCodeAt(from + 19) === point &&
    text.charCodeAt(to - 1) === letterZ &&
    text.charCodeAt(to - 2) <= digit9 &&
    text.charCodeAt(to - 2) >= digit0;
  if (!isUsual) return toTimestamp(text.slice(from, to));
  return text.startsWith('000', to - 4) ? `${text.slice(from, to - 4)}Z` : text.slice(from, to);
}
