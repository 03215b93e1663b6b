/**
 * What was seen at one place of the data of many events. Everything kept here is a count, a flag that only ever becomes
 * true, or a set with a limit, so the order of events does not matter. Its size has a limit, whatever the events hold:
 * the number of members that are told apart, the levels, and with them the number of places.
 */
import { isIdKey } from './ids.js';
import { StringSighting } from './string-sighting.js';

/** An object with more different members than this has keys that are data: it is a map. */
const mostMembers = 200;
/** Levels of nesting that are told apart. */
export const mostLevels = 16;

export class Sighting {
  /** The number of values. */
  seen = 0;
  nulls = 0;
  booleans = 0;
  numbers = 0;
  /** Whole numbers that a JavaScript number would round. */
  bigs = 0;
  /** Those of both that are no whole numbers of 64 bits. */
  others = 0;
  strings: StringSighting | undefined;
  arrays = 0;
  /** Of all arrays. */
  items: Sighting | undefined;
  objects = 0;
  /** By name; empty once there were too many of them. */
  members: Map<string, Sighting> | undefined;
  /** The values of keys that are data. */
  values: Sighting | undefined;
  /** There were more than `mostMembers` different members. */
  isMap = false;
}

/**
 * Adds a value. @param levels that are still told apart below this place
 * @returns the number of places that were new
 */
export function see(sighting: Sighting, value: unknown, levels: number): number {
  sighting.seen += 1;
  if (value === null) sighting.nulls += 1;
  else if (typeof value === 'string') {
    sighting.strings ??= new StringSighting();
    sighting.strings.see(value);
  } else if (typeof value === 'number') {
    sighting.numbers += 1;
    if (!Number.isSafeInteger(value)) sighting.others += 1;
  } else if (typeof value === 'bigint') {
    sighting.bigs += 1;
    if (BigInt.asIntN(64, value) !== value) sighting.others += 1;
  } else if (typeof value === 'boolean') sighting.booleans += 1;
  else if (Array.isArray(value)) return seeArray(sighting, value, levels);
  else if (typeof value === 'object') return seeObject(sighting, value as Readonly<Record<string, unknown>>, levels);
  return 0;
}

function seeArray(sighting: Sighting, array: readonly unknown[], levels: number): number {
  sighting.arrays += 1;
  if (levels === 0 || array.length === 0) return 0;
  let added = sighting.items === undefined ? 1 : 0;
  sighting.items ??= new Sighting();
  for (const item of array) added += see(sighting.items, item, levels - 1);
  return added;
}

function seeObject(sighting: Sighting, object: Readonly<Record<string, unknown>>, levels: number): number {
  sighting.objects += 1;
  if (levels === 0) return 0;
  let added = 0;
  for (const name of Object.keys(object)) {
    let place = sighting.isMap || isIdKey(name) ? sighting.values : sighting.members?.get(name);
    if (place === undefined) {
      added += 1;
      place = addPlace(sighting, name);
    }
    added += see(place, object[name], levels - 1);
  }
  return added;
}

function addPlace(sighting: Sighting, name: string): Sighting {
  if (!sighting.isMap && !isIdKey(name)) {
    sighting.members ??= new Map();
    if (sighting.members.size < mostMembers) {
      const member = new Sighting();
      sighting.members.set(name, member);
      return member;
    }
    makeMap(sighting);
  }
  sighting.values ??= new Sighting();
  return sighting.values;
}

function makeMap(sighting: Sighting): void {
  sighting.isMap = true;
  const { members } = sighting;
  sighting.members = undefined;
  for (const member of members?.values() ?? []) sighting.values = merge(sighting.values, member);
}

/** Returns what both saw; may change both. */
export function merge(one: Sighting | undefined, other: Sighting | undefined): Sighting {
  if (one === undefined || other === undefined) return one ?? other ?? new Sighting();
  one.seen += other.seen;
  one.nulls += other.nulls;
  one.booleans += other.booleans;
  one.numbers += other.numbers;
  one.bigs += other.bigs;
  one.others += other.others;
  one.arrays += other.arrays;
  one.objects += other.objects;
  if (one.strings !== undefined && other.strings !== undefined) one.strings.merge(other.strings);
  else one.strings ??= other.strings;
  if (other.items !== undefined) one.items = merge(one.items, other.items);
  if (other.values !== undefined) one.values = merge(one.values, other.values);
  if (other.isMap && !one.isMap) makeMap(one);
  for (const [name, member] of other.members ?? []) {
    if (one.isMap) one.values = merge(one.values, member);
    else mergeMember(one, name, member);
  }
  return one;
}

function mergeMember(sighting: Sighting, name: string, member: Sighting): void {
  sighting.members ??= new Map();
  sighting.members.set(name, merge(sighting.members.get(name), member));
  if (sighting.members.size > mostMembers) makeMap(sighting);
}

/**
 * Returns how many levels can be told apart with at most this many places. A map counts as if each of the most members
 * had all that was seen in any of them: so the count only rises with more events, and levels that were given up would be
 * given up in any order of events.
 */
export function countLevels(sighting: Sighting, mostPlaces: number): number {
  const places = new Array<number>(mostLevels + 1).fill(0);
  countPlaces(sighting, 0, 1, places);
  let sum = 0;
  for (const [level, count] of places.entries()) {
    sum += count;
    // The members of the data are always told apart: they have a limit of their own.
    if (sum > mostPlaces && level > 1) return level - 1;
  }
  return mostLevels;
}

function countPlaces(sighting: Sighting, level: number, times: number, places: number[]): void {
  places[level] = (places[level] ?? 0) + times;
  const { items, values, members, isMap } = sighting;
  if (items !== undefined) countPlaces(items, level + 1, times, places);
  if (values !== undefined) countPlaces(values, level + 1, isMap ? times * mostMembers : times, places);
  for (const member of members?.values() ?? []) countPlaces(member, level + 1, times, places);
}

/** Forgets what is more levels below. */
export function cut(sighting: Sighting, levels: number): void {
  if (levels === 0) {
    sighting.items = undefined;
    sighting.values = undefined;
    sighting.members = undefined;
    return;
  }
  if (sighting.items !== undefined) cut(sighting.items, levels - 1);
  if (sighting.values !== undefined) cut(sighting.values, levels - 1);
  for (const member of sighting.members?.values() ?? []) cut(member, levels - 1);
}
