/** Turns what was seen into a shape: which fields are optional, which objects are maps, which texts are a choice. */
import { areChoices, areNumbered, isOpenName } from './ids.js';
import type { Member, NumberShape, ObjectShape, Shape, StringShape } from './shape.js';
import { merge, type Sighting } from './sighting.js';
import type { StringSighting } from './string-sighting.js';

export interface ShapeOptions {
  /** Lists the values of texts that are a choice between a few. */
  readonly enums: boolean;
  /** All events were looked at. */
  readonly complete: boolean;
}

/** A choice was seen this many times, and each of its values this many times on average. */
const fewestSeen = 20;
const fewestSeenEach = 5;
/** An object with more different members, of which none is in half of the objects, is a map. */
const fewMembers = 24;
const fewestNumbered = 3;

/** @param levels that were told apart @param name of the field */
export function toShape(sighting: Sighting, levels: number, options: ShapeOptions, name = ''): Shape {
  const { strings, numbers, bigs, booleans, nulls } = sighting;
  const shapes: Shape[] = [];
  if (strings !== undefined) shapes.push(toStringShape(strings, options, name));
  if (numbers + bigs > 0) shapes.push(toNumberShape(sighting));
  if (booleans > 0) shapes.push({ is: 'boolean' });
  if (sighting.objects > 0) shapes.push(toObjectShape(sighting, levels, options));
  if (sighting.arrays > 0) shapes.push({ is: 'array', items: toItemShape(sighting.items, levels, options, name) });
  if (nulls > 0) shapes.push({ is: 'null' });
  const [only, ...others] = shapes;
  if (only === undefined) return { is: 'unknown' };
  return others.length === 0 ? only : { is: 'union', of: shapes };
}

function toNumberShape({ bigs, others }: Sighting): NumberShape {
  const is = bigs > 0 ? 'bigint' : 'number';
  return others > 0 ? { is } : { is, whole: true };
}

function toStringShape({ seen, formats, values }: StringSighting, options: ShapeOptions, name: string): StringShape {
  const [format] = formats;
  if (format !== undefined) return { is: 'string', format };
  if (!options.enums || values === undefined || isOpenName(name)) return { is: 'string' };
  const sorted = [...values].sort(byCodeUnits);
  if (seen < fewestSeen || seen < sorted.length * fewestSeenEach || !areChoices(sorted)) return { is: 'string' };
  // A sample may lack a value: a type that excludes it would be wrong.
  return options.complete ? { is: 'string', values: sorted } : { is: 'string', some: sorted };
}

/** Empty lists tell nothing about their items. */
function toItemShape(items: Sighting | undefined, levels: number, options: ShapeOptions, name: string): Shape {
  if (items === undefined || levels === 0) return { is: 'unknown' };
  return toShape(items, levels - 1, options, name);
}

function toObjectShape(sighting: Sighting, levels: number, options: ShapeOptions): ObjectShape {
  if (levels === 0) return { is: 'object', members: [], others: { is: 'unknown' } };
  const { objects, values, members = new Map<string, Sighting>() } = sighting;
  if (isMapOf(members, objects)) {
    const all = [...members.values()].reduce((sum: Sighting | undefined, each) => merge(sum, each), values);
    return { is: 'object', members: [], others: toItemShape(all, levels, { ...options, enums: false }, '') };
  }
  const sorted = [...members].sort(([a], [b]) => byCodeUnits(a, b));
  return {
    is: 'object',
    members: sorted.map(([name, member]): Member => {
      const shape = toShape(member, levels - 1, options, name);
      return member.seen < objects ? { name, optional: true, shape } : { name, shape };
    }),
    ...(values !== undefined && { others: toShape(values, levels - 1, { ...options, enums: false }) }),
  };
}

/** Returns whether the names of the members are data, though there are not too many of them. */
function isMapOf(members: ReadonlyMap<string, Sighting>, objects: number): boolean {
  const names = [...members.keys()];
  if (names.length >= fewestNumbered && areNumbered(names)) {
    return [...members.values()].some(({ seen }) => seen < objects);
  }
  return names.length > fewMembers && [...members.values()].every(({ seen }) => seen * 2 < objects);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
