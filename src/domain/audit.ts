/** Proof that a subscription skipped nothing: how many events it was delivered, and a sum over their ids. */
import type { EventFilter } from './event.js';

/** Which events are delivered to a subscription. */
export type AuditFilter = Pick<EventFilter, 'category' | 'types'>;

/** The number of events and the sum over their ids, computed the same way by both engines. */
export interface Tally {
  readonly events: number;
  /** The last 32 bits of each id, the random ones in every version of UUID, added up. At most 2^63-1. */
  readonly idSum: bigint;
}

/** What was delivered to a cursor since the position `after`. */
export interface Audit extends Tally {
  readonly filter: AuditFilter;
  readonly after: number;
}

/** Returns the tally of one batch. */
export function tallyIds(ids: readonly string[]): Tally {
  let sum = 0;
  for (const id of ids) sum += lastBits(id);
  return { events: ids.length, idSum: BigInt(sum) };
}

/** Returns the last 32 bits of an id. Written by hand, because a replay does this for every event. */
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

/** Returns a text that is equal for equal filters, whatever the order of their types. */
export function writeAuditFilter({ category, types }: AuditFilter): string {
  return JSON.stringify({ category, types: types === undefined ? undefined : [...new Set(types)].sort() });
}

/** @param text as the store keeps an audit: `{"filter","after","events","idSum"}` */
export function parseAudit(text: string): Audit {
  const { filter, after, events } = JSON.parse(text) as { filter: string; after: number; events: number };
  // JSON.parse would round it above 2^53.
  const [, idSum = '0'] = /"idSum"\s*:\s*(\d+)/.exec(text) ?? [];
  return { filter: JSON.parse(filter) as AuditFilter, after, events, idSum: BigInt(idSum) };
}
