/**
 * Upcasters turn the data of one schema version into that of a later one when a handler reads it; several form a chain. The
 * stored event never changes.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold.
import { describeValue } from './values.js';

export interface Upcaster {
  /** The event type it applies to. */
  readonly type: string;
  /** The schema version it reads; events have 1 unless appended with another. */
  readonly from: number;
  /** The schema version it returns; higher than `from`. */
  readonly to: number;
  /** A pure function: the data of version `from` → the data of version `to`. */
  readonly up: (data: any) => unknown;
}

/** Returns its argument, typed. It is checked when the definition that lists it is loaded. */
export function defineUpcaster(upcaster: Upcaster): Upcaster {
  return upcaster;
}

/** Returns the upcasters an event goes through, in order. */
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

/** Returns the faults of a list of upcasters, as sentences to print after "its". */
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
