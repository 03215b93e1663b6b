/**
 * Points in time and durations as text. `Date` is used for the calendar only, so microseconds are never lost.
 */
import { EvstoreError } from './errors.js';

const shape =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?: *(?:([Zz])|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?))?$/;
const dayMs = 86_400_000;
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Converts RFC 3339 with any offset, or the output of an engine (a space for the `T`, `+00`, no zone = UTC), to RFC 3339
 * in UTC with `Z`: three digits of a second, or six if the microseconds are not 0. Further digits are cut off.
 * @throws RangeError on anything else, and outside the years 0001–9999
 */
export function normaliseTimestamp(text: string): string {
  if (isNormal(text)) return text;
  const { seconds, micros } = readTimestamp(text);
  return `${seconds}.${micros.endsWith('000') ? micros.slice(0, 3) : micros}Z`;
}

/**
 * Like `normaliseTimestamp`, always with six digits: texts of one length, which sort by time.
 * @throws RangeError
 */
export function storedTimestamp(text: string): string {
  if (isNormal(text)) return text.length === normalLength ? `${text.slice(0, -1)}000Z` : text;
  const { seconds, micros } = readTimestamp(text);
  return `${seconds}.${micros}Z`;
}

/**
 * `250ms`, `5s`, `15m`, `1h`, `7d`, `1.5h` → milliseconds, rounded.
 * @throws E_USAGE
 */
export function parseDuration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const milliseconds = Math.round(Number(amount) * (units[unit] ?? Number.NaN));
  if (!Number.isSafeInteger(milliseconds)) {
    throw new EvstoreError('E_USAGE', `'${text}' is not a duration`, {
      why: 'A duration is a number and a unit: 250ms, 5s, 15m, 1h, 7d.',
    });
  }
  return milliseconds;
}

/**
 * Reads an ISO date (midnight UTC), an ISO time (UTC if it has no zone), or a duration before `now`.
 * @returns RFC 3339 in UTC
 * @throws E_USAGE
 */
export function parseMoment(text: string, now: Date): string {
  const trimmed = text.trim();
  try {
    if (/^\d+(\.\d+)?[a-z]+$/.test(trimmed)) {
      return normaliseTimestamp(new Date(now.getTime() - parseDuration(trimmed)).toISOString());
    }
    return normaliseTimestamp(/^\d{4}-\d\d-\d\d$/.test(trimmed) ? `${trimmed}T00:00:00Z` : trimmed);
  } catch (error) {
    throw new EvstoreError('E_USAGE', `'${text}' is not a time`, {
      why: 'Give a date (2026-01-31), a time (2026-01-31T09:30:00Z, UTC if it has no zone) or a duration before now (15m).',
      cause: error,
    });
  }
}

/**
 * Reads a day in UTC.
 * @returns its beginning and the beginning of the next one, RFC 3339
 * @throws E_USAGE
 */
export function parseDay(text: string): { readonly since: string; readonly until: string } {
  const day = text.trim();
  try {
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw notATime(day);
    const since = normaliseTimestamp(`${day}T00:00:00Z`);
    return { since, until: normaliseTimestamp(new Date(Date.parse(since) + dayMs).toISOString()) };
  } catch (error) {
    throw new EvstoreError('E_USAGE', `'${text}' is not a day`, {
      why: 'Give a date, which is a day in UTC: 2026-01-31. For other times use --since and --until.',
      cause: error,
    });
  }
}

/** Returns the next microsecond. @param time RFC 3339 */
export function justAfter(time: string): string {
  const stored = storedTimestamp(time);
  const micros = Number(stored.slice(20, 26)) + 1;
  if (micros < 1_000_000) return normaliseTimestamp(`${stored.slice(0, 20)}${String(micros).padStart(6, '0')}Z`);
  return new Date(Date.parse(`${stored.slice(0, 19)}Z`) + 1_000).toISOString();
}

/** Length of `2026-01-31T09:30:00.000Z`; with microseconds it is three more. */
const normalLength = 24;
/** Ignores leap days; the calendar checks those. */
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Returns whether the text is already normal, as far as that shows without a calendar. Nearly every time is. */
function isNormal(text: string): boolean {
  const { length } = text;
  if (length !== normalLength && (length !== normalLength + 3 || text.endsWith('000Z'))) return false;
  if (!/^\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d+Z$/.test(text)) return false;
  const day = twoDigits(text, 8);
  return (
    day > 0 && day <= (daysOfMonth[twoDigits(text, 5) - 1] ?? 0) && twoDigits(text, 11) < 24 && !text.startsWith('0000')
  );
}

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * '0'.charCodeAt(0);
}

function readTimestamp(text: string): { readonly seconds: string; readonly micros: string } {
  const match = shape.exec(text);
  if (match === null) throw notATime(text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as Clock;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month > 0;
  if (!exists || hour > 23 || minute > 59 || second > 59) throw notATime(text);
  date.setUTCHours(hour, minute, second);
  date.setTime(date.getTime() - offsetMilliseconds(text, match));
  if (date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999 || year === 0) {
    throw new RangeError(`'${text}' is outside the years 0001 to 9999`);
  }
  return { seconds: date.toISOString().slice(0, 19), micros: (match[7] ?? '').slice(0, 6).padEnd(6, '0') };
}

type Clock = [number, number, number, number, number, number];

function offsetMilliseconds(text: string, match: RegExpExecArray): number {
  if (match[9] === undefined) return 0;
  const [hours, minutes, seconds] = [match[10], match[11], match[12]].map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  if (hours > 23 || minutes > 59 || seconds > 59) throw notATime(text);
  return (match[9] === '-' ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function notATime(text: string): RangeError {
  return new RangeError(`'${text.slice(0, 60)}' is not a time such as 2026-01-31T09:30:00Z`);
}

/** RFC 3339 in UTC to the millisecond, for prose: Postgres keeps microseconds, SQLite does not. @param timestamp RFC 3339 */
export function showInstant(timestamp: string): string {
  const time = new Date(timestamp);
  return Number.isNaN(time.getTime()) ? timestamp : time.toISOString();
}
