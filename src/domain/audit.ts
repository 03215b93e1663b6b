/** Proof that a subscription skipped nothing: how many events it was given, and a sum over their ids. */
import type { EventFilter } from './event.js';

/** Which events a subscription is given. */
export type AuditFilter = Pick<EventFilter, 'category' | 'types'>;

/** How many events, and the sum over their ids that both engines compute alike. */
export interface Tally {
  readonly events: number;
  /** The last 32 bits of each id, the random ones in every version of UUID, added up. At most 2^63-1. */
  readonly idSum: bigint;
}

/** What a cursor has been given since the position `after`. */
export interface Audit extends Tally {
  readonly filter: AuditFilter;
  readonly after: number;
}

/** Of the events of one batch. */
export function tallyIds(ids: readonly string[]): Tally {
  let sum = 0;
  for (const id of ids) sum += lastBits(id);
  return { events: ids.length, idSum: BigInt(sum) };
}

/** The last 32 bits of an id: by hand, because this is done for every event of a replay. */
function lastBits(id: string): number {
  let bits = 0;
  for (let index = id.length - 8; index < id.length; index += 1) {
    const code = id.charCodeAt(index);
    // The last four bits of a letter, in either case, count from 1.
    bits = bits * 16 + (code & 15) + (code > 64 ? 9 : 0);
  }
  return bits;
}

export function addTallies(one: Tally, other: Tally): Tally {
  return { events: one.events + other.events, idSum: one.idSum + other.idSum };
}

/** The same filter is the same text, in whatever order its types were written. */
export function writeAuditFilter({ category, types }: AuditFilter): string {
  return JSON.stringify({ category, types: types === undefined ? undefined : [...new Set(types)].sort() });
}

/** @param text as the store keeps an audit: `{"filter","after","events","idSum"}` */
export function parseAudit(text: string): Audit {
  const { filter, after, events } = JSON.parse(text) as { filter: string; after: number; events: number };
  // Beyond 2^53 JSON.parse would round it.
  const [, idSum = '0'] = /"idSum"\s*:\s*(\d+)/.exec(text) ?? [];
  return { filter: JSON.parse(filter) as AuditFilter, after, events, idSum: BigInt(idSum) };
}
