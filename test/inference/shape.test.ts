/** Which shape is inferred from data, and that hostile data cannot make it large, wrong or dependent on its order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMisfits } from '../../src/inference/misfit.js';
import type { Shape } from '../../src/inference/shape.js';
import { writeTypes } from '../../src/inference/typescript.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { infer, shuffle, stored, values } from './events.js';

function write(data: Shape): string {
  const text = writeTypes([{ type: 'T', versions: [{ version: 1, events: 1, complete: true, data }] }], []);
  return /T: ([\s\S]*?);\n {2}}/.exec(text)?.[1]?.replaceAll('\n    ', '\n') ?? '';
}

const times = <Value>(amount: number, make: (index: number) => Value) =>
  Array.from({ length: amount }, (_, at) => make(at));

/** Words without digits. */
const word = (index: number) => `w${[...String(index)].map((digit) => 'abcdefghij'[Number(digit)]).join('')}`;

describe('a shape', () => {
  it('has optional members, nulls, unions, nested objects and lists', () => {
    const shape = infer([
      { id: 1, address: { city: 'Gent' }, lines: [{ sku: 'a', price: 1 }], note: null },
      { id: 'x', address: { city: 'Gent', zip: 9000 }, lines: [], note: 'text', tags: ['a', 1] },
    ]);
    expect(write(shape)).toBe(
      [
        '{',
        '  address: {',
        '    city: string;',
        '    zip?: number;',
        '  };',
        '  id: string | number;',
        '  lines: {',
        '    price: number;',
        '    sku: string;',
        '  }[];',
        '  note: string | null;',
        '  tags?: (string | number)[];',
        '}',
      ].join('\n'),
    );
  });

  it('has big whole numbers as handlers get them, and says which texts are times, days and UUIDs', () => {
    const shape = infer([
      stored(
        '{"n":9007199254740993,"at":"2026-01-31T10:00:00Z","on":"2026-01-31","ref":"e3b0c442-98fc-4c14-9afb-f4c8996fb924"}',
      ),
      stored('{"n":1,"at":"2026-02-28 10:00:00+01","on":"2026-02-28","ref":"E3B0C442-98FC-4C14-9AFB-F4C8996FB924"}'),
    ]);
    expect(write(shape)).toBe(
      [
        '{',
        '  /** Date and time. */',
        '  at: string;',
        '  n: number | bigint;',
        '  /** Date. */',
        '  on: string;',
        '  /** UUID. */',
        '  ref: string;',
        '}',
      ].join('\n'),
    );
  });

  it.each([
    ['status', 20, ['open', 'paid'], "'open' | 'paid'"],
    ['status', 19, ['open', 'paid'], 'string'],
    [
      'status',
      60,
      times(12, word),
      times(12, word)
        .sort()
        .map((each) => `'${each}'`)
        .join(' | '),
    ],
    ['status', 59, times(12, word), 'string'],
    ['status', 130, times(13, word), 'string'],
    ['orderId', 40, ['a', 'b'], 'string'],
    ['customer', 40, ['ada', 'bob'], 'string'],
    ['approvedBy', 40, ['ada', 'bob'], 'string'],
    ['first_name', 40, ['ada', 'bob'], 'string'],
    ['status', 40, ['task-4', 'task-5', 'done'], 'string'],
    ['status', 40, ['2026-01', '2026-02'], 'string'],
    ['status', 40, ["it's", 'a'], 'string'],
    ['status', 40, ['*/ evil', 'a'], 'string'],
  ])('%s seen %i times with the values %j is %s', (name, seen, choices, expected) => {
    const events = times(seen, (index) => ({ [name]: choices[index % choices.length] }));
    expect(write(infer(events))).toContain(`  ${name}: ${expected};`);
    expect(write(infer(events, { enums: false }))).toContain(`  ${name}: string;`);
  });

  it('from a sample lists the values in a comment only: there may be others', () => {
    const events = times(20, (index) => ({ status: index % 2 === 0 ? 'open' : 'paid' }));
    const text = write(infer(events, { complete: false }));
    expect(text).toBe('{\n  /** In the sample: open, paid. */\n  status: string;\n}');
  });

  it('of an object whose keys are ids, days, numbered or very many is a map', () => {
    const keys = {
      uuids: times(3, (index) => `e3b0c442-98fc-4c14-9afb-00000000000${index}`),
      days: times(3, (index) => `2026-01-0${index + 1}`),
      numbered: times(3, (index) => `sku-${index}`),
      many: times(201, word),
      sparse: times(30, word),
    };
    for (const [name, list] of Object.entries(keys)) {
      const events = list.map((key) => ({ [name]: { [key]: { amount: 1 } } }));
      expect(write(infer(events)), name).toBe(`{\n  ${name}: Record<string, {\n    amount: number;\n  }>;\n}`);
    }
    const mixed = infer([{ by: { total: 1, '2026-01-01': { n: 1 } } }]);
    expect(write(mixed)).toContain('    total: number;\n    [key: string]: {\n');
  });

  it('accepts every value that it was inferred from', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 60 }), fc.constantFrom(3, 20, 20_000), (events, mostPlaces) => {
        const shape = infer(events, { mostPlaces });
        for (const event of events) expect(findMisfits(shape, event)).toEqual([]);
        expect(JSON.parse(JSON.stringify(shape))).toEqual(shape);
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of events, even where their data has too many places', () => {
    const seed = fc.integer();
    fc.assert(
      fc.property(
        fc.array(values, { maxLength: 40 }),
        fc.constantFrom(2, 5, 10, 30, 20_000),
        seed,
        (events, mostPlaces, chosen) => {
          const other = shuffle(events, makeRandom(chosen).below);
          expect(infer(other, { mostPlaces })).toEqual(infer(events, { mostPlaces }));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order in which objects become maps', () => {
    const random = makeRandom(freshSeed());
    const wide = (amount: number, make: () => unknown) =>
      Object.fromEntries(times(amount, () => [word(random.below(400)), make()]));
    const make = () =>
      wide(random.below(30), () =>
        random.below(3) === 0 ? random.below(9) : wide(random.below(20), () => wide(2, () => null)),
      );
    for (const mostPlaces of [300, 2_000, 50_000]) {
      const events = times(60, make);
      const shape = JSON.stringify(infer(events, { mostPlaces }));
      for (let round = 0; round < 5; round += 1) {
        const again = infer(shuffle(events, random.below), { mostPlaces });
        expect(JSON.stringify(again) === shape, `seed ${random.seed}`).toBe(true);
      }
    }
  });

  it('of data with 100,000 keys, 5,000 levels or a huge text stays small', () => {
    const hostile = [
      Object.fromEntries(times(100_000, (index) => [word(index), { [word(index)]: index }])),
      stored(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`),
      stored(`${'['.repeat(5_000)}1${']'.repeat(5_000)}`),
      times(2_000, (index) => ({ [word(index)]: times(50, (at) => ({ [word(index * 50 + at)]: at })) })),
      { text: 'x'.repeat(1_000_000) },
    ];
    for (const each of hostile) expect(JSON.stringify(infer([each])).length).toBeLessThan(20_000);
    const shape = infer(hostile);
    for (const each of hostile) expect(findMisfits(shape, each)).toEqual([]);
  });
});

describe('the text of a type', () => {
  it('quotes names, and escapes what would end a text or change its direction', () => {
    const names = ['a b', "it's", '\\', '\u202e', '\u2028', '\n', '*/', 'new', '__proto__', '1a', 'ключ'];
    const text = write(infer([Object.fromEntries(names.map((name) => [name, 1]))]));
    expect(
      text
        .split('\n')
        .slice(1, -1)
        .map((line) => line.trim())
        .sort(),
    ).toEqual(
      [
        "'a b': number;",
        "'it\\'s': number;",
        "'\\\\': number;",
        "'\\u202e': number;",
        "'\\u2028': number;",
        "'\\u000a': number;",
        "'*/': number;",
        'new: number;',
        '__proto__: number;',
        "'1a': number;",
        "'ключ': number;",
      ].sort(),
    );
  });

  it('has the last schema version for handlers, and each version for upcasters', () => {
    const version = (at: number, data: Shape) => ({ version: at, events: 1, complete: true, data });
    const text = writeTypes(
      [{ type: 'Order.Placed', versions: [version(1, { is: 'number' }), version(3, { is: 'string' })] }],
      ['Looked at 2 events.'],
    );
    expect(text).toContain("    'Order.Placed': string;\n");
    expect(text).toContain("    'Order.Placed': {\n      1: number;\n      3: StoredEvents['Order.Placed'];\n    };\n");
    expect(text).toContain('// Looked at 2 events.\n');
  });
});

describe('a value that does not fit', () => {
  const shape = infer([
    ...times(20, () => ({ status: 'open', at: '2026-01-31', lines: [{ price: 1 }], by: { '2026-01-01': 1 } })),
  ]);

  it.each([
    ['{}', 'missing-field', 'data.at is missing, and was always there'],
    [
      '{"status":"paid","at":"2026-01-31","lines":[],"by":{}}',
      'changed-field',
      'data.status is "paid", and was always one of "open"',
    ],
    ['{"status":"open","at":"soon","lines":[],"by":{}}', 'changed-field', 'data.at is a text, and was always a date'],
    ['{"status":"open","at":null,"lines":[],"by":{}}', 'changed-field', 'data.at is null, and was always a date'],
    [
      '{"status":"open","at":"2026-01-31","lines":[{"price":"1"}],"by":{}}',
      'changed-field',
      'data.lines[].price is a text, and was always a number',
    ],
    [
      '{"status":"open","at":"2026-01-31","lines":[],"by":{"2027-01-01":[]}}',
      'changed-field',
      'data.by.* is a list, and was always a number',
    ],
    ['{"status":"open","at":"2026-01-31","lines":[],"by":{},"it\'s":1}', 'new-field', 'data."it\'s" is new: a number'],
    ['[]', 'changed-field', 'data is a list, and was always an object'],
    [
      '{"status":9007199254740993,"at":"2026-01-31","lines":[],"by":{}}',
      'changed-field',
      'data.status is a number beyond 2^53-1, and was always a text',
    ],
  ])('%s: %s', (json, kind, sentence) => {
    const [first] = findMisfits(shape, stored(json));
    expect({ ...first, sentence: `${first?.place} ${first?.detail}` }).toMatchObject({ kind, sentence });
  });
});
