/**
 * Upcasters turn the data of one schema version into that of a later one when a handler reads it; several form a chain. The
 * stored event never changes.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold.

import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { groupDigits } from '../../domain/numbers.js';
import type { DataOfVersion, Handler, NewDataOf, WidenedTexts } from '../../domain/stored-events.js';
import { describeValue } from './values.js';

export interface Upcaster<Type extends string = any, From extends number = any, To extends number = any> {
  /** The event type it applies to. */
  readonly type: Type;
  /** The schema version it reads; events have 1 unless appended with another. */
  readonly from: From;
  /** The schema version it returns; higher than `from`. */
  readonly to: To;
  /** A pure function: the data of version `from` → the data of version `to`. */
  readonly up: Handler<[data: DataOfVersion<Type, From>], WidenedTexts<NewDataOf<Type, To>>>;
}

/** Returns its argument, typed. It is checked when the definition that lists it is loaded. */
export function defineUpcaster<const Type extends string, const From extends number, const To extends number>(
  upcaster: Upcaster<Type, From, To>,
): Upcaster<Type, From, To> {
  return upcaster;
}

/**
 * Returns the upcasters an event goes through, in order; none for a type without upcasters.
 * @throws E_HANDLER when they do not lead to the last version: newer code appended the event, or there is a gap
 */
export function findUpcasts(upcasters: readonly Upcaster[], event: RecordedEvent): readonly Upcaster[] {
  const { type, schemaVersion } = event;
  const last = lastVersion(upcasters, type);
  if (last === 0) return [];
  const path: Upcaster[] = [];
  for (let version = schemaVersion; version !== last; ) {
    const next = upcasters.find((each) => each.type === type && each.from === version);
    if (next === undefined) throw noWay(upcasters, event, version, last);
    path.push(next);
    version = next.to;
  }
  return path;
}

/** Returns the highest version that the upcasters of a type return; 0 without any. */
function lastVersion(upcasters: readonly Upcaster[], type: string): number {
  let last = 0;
  for (const each of upcasters) if (each.type === type && each.to > last) last = each.to;
  return last;
}

/** @param version that none reads */
function noWay(
  upcasters: readonly Upcaster[],
  { type, schemaVersion, globalPosition }: RecordedEvent,
  version: number,
  last: number,
): EvstoreError {
  const read = upcasters.filter((each) => each.type === type).map(({ from }) => from);
  const known = read.sort((a, b) => a - b).join(', ');
  const advice = version > last ? `Run code that knows version ${version}.` : `Add one that reads version ${version}.`;
  return new EvstoreError('E_HANDLER', `no upcaster leads from ${type} of schema version ${schemaVersion}`, {
    why: `They read versions ${known} and end at version ${last}. ${advice} The event is at position ${groupDigits(globalPosition)}.`,
    details: { type, schemaVersion, known: read, last },
  });
}

/** Returns the faults of a list of upcasters, as sentences to print after "its". */
export function findUpcasterFaults(upcasters: unknown): readonly string[] {
  if (upcasters === undefined) return [];
  if (!Array.isArray(upcasters)) return [`upcasters is ${describeValue(upcasters)}: it takes a list`];
  const taken = new Set<string>();
  const faults = upcasters.flatMap((each: Partial<Upcaster> | null) => {
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
  return faults.length > 0 ? faults : findGaps(upcasters);
}

function findGaps(upcasters: readonly Upcaster[]): readonly string[] {
  return upcasters.flatMap(({ type, to }) => {
    const last = lastVersion(upcasters, type);
    if (to === last || upcasters.some((each) => each.type === type && each.from === to)) return [];
    return [`upcasters of ${type} have a gap: none reads version ${to}, and they end at version ${last}`];
  });
}
