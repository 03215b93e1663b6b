/**
 * Old events in today's shape. What is stored never changes: an upcaster turns the data of one schema version into that
 * of a later one when handlers look at it, and several form a chain.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold.
import { describeValue } from './values.js';

export interface Upcaster {
  /** Of this event type. */
  readonly type: string;
  /** The schema version it takes; 1 is what events have unless they were appended with another. */
  readonly from: number;
  /** The schema version it makes; higher. */
  readonly to: number;
  /** Pure: the data of version `from` → the data of version `to`. */
  readonly up: (data: any) => unknown;
}

/** Gives its argument back, typed; it is checked where the definition that lists it is loaded. */
export function defineUpcaster(upcaster: Upcaster): Upcaster {
  return upcaster;
}

/** The upcasters an event goes through, in order. */
export function findUpcasts(
  upcasters: readonly Upcaster[],
  { type, schemaVersion }: { readonly type: string; readonly schemaVersion: number },
): readonly Upcaster[] {
  const path: Upcaster[] = [];
  for (let version = schemaVersion; ; ) {
    const next = upcasters.find((each) => each.type === type && each.from === version);
    if (next === undefined) return path;
    path.push(next);
    version = next.to;
  }
}

/** What is wrong with a list of upcasters, as sentences to print after "its"; none for a right one. */
export function findUpcasterFaults(upcasters: unknown): readonly string[] {
  if (upcasters === undefined) return [];
  if (!Array.isArray(upcasters)) return [`upcasters is ${describeValue(upcasters)}: it takes a list`];
  const taken = new Set<string>();
  return upcasters.flatMap((each: Partial<Upcaster> | null) => {
    const { type, from = 0, to = 0, up } = each ?? {};
    if (typeof type !== 'string' || typeof up !== 'function') {
      return [`upcasters has ${describeValue(each)}: each takes { type, from, to, up }`];
    }
    const isRising = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from > 0 && to > from;
    if (!isRising) return [`upcaster of ${type} goes from ${from} to ${to}: both are whole numbers, the second higher`];
    const place = `${type} ${from}`;
    if (taken.has(place)) return [`upcasters takes ${type} of version ${from} twice`];
    taken.add(place);
    return [];
  });
}
