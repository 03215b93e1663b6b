/** What was seen of the texts at one place: whether all have one format, and the few values there are. */
import { normaliseTimestamp } from '../domain/timestamp.js';

export const formats = ['uuid', 'time', 'date'] as const;
/** `uuid`; `time`: a date and a time of day, as columns of times take them; `date`: a day. */
export type Format = (typeof formats)[number];

const patterns: Readonly<Record<Format, RegExp>> = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  time: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/,
  date: /^\d{4}-\d\d-\d\d$/,
};
/** No text of a format is longer. */
const longestFormat = 48;

/** A field with more values than this is not an enum. */
const mostValues = 12;
/** A longer text is prose. */
const longestValue = 64;

export function hasFormat(text: string, format: Format): boolean {
  if (text.length > longestFormat || !patterns[format].test(text)) return false;
  return format !== 'time' || isTime(text);
}

function isTime(text: string): boolean {
  try {
    return normaliseTimestamp(text) !== '';
  } catch {
    return false;
  }
}

export class StringSighting {
  seen = 0;
  /** Those that every text so far has. */
  formats: Format[] = [...formats];
  /** Undefined once there were too many, or one that is prose. */
  values: Set<string> | undefined = new Set();

  see(text: string): void {
    this.seen += 1;
    if (this.formats.length > 0) this.formats = this.formats.filter((format) => hasFormat(text, format));
    if (this.values === undefined) return;
    if (text.length > longestValue) this.values = undefined;
    else if (!this.values.has(text)) this.#add(text);
  }

  merge(other: StringSighting): void {
    this.seen += other.seen;
    this.formats = this.formats.filter((format) => other.formats.includes(format));
    if (other.values === undefined) this.values = undefined;
    for (const value of other.values ?? []) this.#add(value);
  }

  #add(text: string): void {
    this.values?.add(text);
    if ((this.values?.size ?? 0) > mostValues) this.values = undefined;
  }
}
