/** Data as hostile programs may store it, and its shape. */
import fc from 'fast-check';
import { parseJson } from '../../src/domain/json-value.js';
import { DataSighting } from '../../src/inference/data-sighting.js';
import type { Shape } from '../../src/inference/shape.js';
import { toShape } from '../../src/inference/to-shape.js';

export interface InferOptions {
  readonly mostPlaces?: number;
  readonly enums?: boolean;
  readonly complete?: boolean;
}

export function infer(values: Iterable<unknown>, options: InferOptions = {}): Shape {
  const { mostPlaces = 20_000, enums = true, complete = true } = options;
  const sighting = new DataSighting(mostPlaces);
  for (const value of values) sighting.see(value);
  const { levels } = sighting;
  return toShape(sighting.root, levels, { enums, complete });
}

const names = [
  'a',
  'b',
  'status',
  'orderId',
  '__proto__',
  'constructor',
  "it's",
  'a b',
  '*/',
  '7',
  'ключ',
  '\u2028',
  '\u202e',
  '',
];
const leaf = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1.5, 1e300, 9007199254740993n, 'a', "quote's", '*/', '\\', '2026-01-31', ''),
  fc.constantFrom(
    '2026-01-31T10:00:00Z',
    '2010-11-26 00:00:00+01:00',
    'e3b0c442-98fc-4c14-9afb-f4c8996fb924',
    '\u{1f600}',
  ),
  fc.string({ maxLength: 5 }),
);

/** Values as they are parsed from a store. */
export const values = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.uuid(), fc.string({ maxLength: 3 })), tie('value')), {
      maxLength: 6,
    })
    .map((entries) => Object.fromEntries(entries)),
})).value;

/** What a program that stores these bytes would get back. */
export function stored(json: string): unknown {
  return parseJson(json, true);
}

export function shuffle<Item>(items: readonly Item[], below: (most: number) => number): Item[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = below(at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other] as Item, shuffled[at] as Item];
  }
  return shuffled;
}
