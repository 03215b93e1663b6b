/** The language of `--where`: what it accepts, and how it shows a mistake. */
import { describe, expect, it } from 'vitest';
import { EvstoreError } from '../../../src/domain/errors.js';
import { parseCondition } from '../../../src/domain/where/parse.js';

const now = new Date('2026-01-31T12:00:00Z');
const roots = { json: ['data', 'metadata'], plain: ['type', 'version', 'createdAt'], times: ['createdAt'] };
const parse = (text: string) => parseCondition(text, roots, now);
const number = (text: string) => ({ type: 'number', text });
const string = (text: string) => ({ type: 'string', text });
const data = (...path: (string | number)[]) => ({ root: 'data', path });

describe('the condition of --where', () => {
  it.each([
    ['data.total >= 12.50', { kind: 'compare', place: data('total'), operator: '>=', value: number('12.50') }],
    ['data.total == -1e3', { kind: 'compare', place: data('total'), operator: '=', value: number('-1e3') }],
    [
      "data.items[0].sku = 'a b'",
      { kind: 'compare', place: data('items', 0, 'sku'), operator: '=', value: string('a b') },
    ],
    [
      'data["first name"].x = true',
      { kind: 'compare', place: data('first name', 'x'), operator: '=', value: { type: 'boolean', value: true } },
    ],
    ['data."größe" = null', { kind: 'compare', place: data('größe'), operator: '=', value: { type: 'null' } }],
    [
      "data.größe-cm <> 'it''s'",
      { kind: 'not', term: { kind: 'compare', place: data('größe-cm'), operator: '=', value: string("it's") } },
    ],
    ['data.note = "say \\"ja\\""', { kind: 'compare', place: data('note'), operator: '=', value: string('say "ja"') }],
    ["type in ('A', 'B')", { kind: 'in', place: { root: 'type', path: [] }, values: [string('A'), string('B')] }],
    [
      "type NOT LIKE 'Order%'",
      { kind: 'not', term: { kind: 'like', place: { root: 'type', path: [] }, pattern: 'Order%' } },
    ],
    ['exists data.coupon', { kind: 'exists', place: data('coupon') }],
    ['not exists(data)', { kind: 'not', term: { kind: 'exists', place: data() } }],
    [
      "createdAt < '15m'",
      {
        kind: 'compare',
        place: { root: 'createdAt', path: [] },
        operator: '<',
        value: string('2026-01-31T11:45:00.000000Z'),
      },
    ],
    ['not not exists data', { kind: 'exists', place: data() }],
  ])('reads %s', (text, condition) => {
    expect(parse(text)).toEqual(condition);
  });

  it('takes a UUID in either case', () => {
    const id = 'ABCDEF01-0000-4000-8000-000000000000';
    const condition = parseCondition(`id in ('${id}')`, { json: [], plain: ['id'], uuids: ['id'] }, now);
    expect(condition).toMatchObject({ values: [string(id.toLowerCase())] });
  });

  it('binds not before and, and and before or', () => {
    const exists = (root: string) => ({ kind: 'exists', place: { root, path: [] } });
    expect(parse('exists type or not exists version and exists data')).toEqual({
      kind: 'or',
      terms: [exists('type'), { kind: 'and', terms: [{ kind: 'not', term: exists('version') }, exists('data')] }],
    });
    expect(parse('(exists type or exists version) and exists data')).toMatchObject({ kind: 'and' });
  });

  it.each([
    ['data.total >', 12, 'expected a number'],
    ['data.total > 5 5', 15, "expected 'and', 'or' or the end"],
    ['data.total => 5', 12, 'expected a number'],
    ['data.name = Ada', 12, "a text is written 'Ada'"],
    ["data.name = 'Ada", 12, 'this quote is not closed'],
    ['total > 5', 0, 'did you mean data.total?'],
    ['typ = 1', 0, 'did you mean type?'],
    ['type.name = 1', 0, 'type has no parts'],
    ['data.items[-1] = 1', 11, 'expected a place from 0'],
    ['data.a > true', 9, 'only numbers and texts have an order'],
    ['data.a like 5', 12, 'expected a text'],
    ['(data.a = 1', 11, "expected ')'"],
    ['data.a = 1;', 10, 'unknown sign'],
    ['data.a is null', 7, "'is null' is written '= null'"],
    ['data.a exists', 7, "'exists' comes before the place"],
    ['data.a = 1 && data.b = 2', 11, "write 'and' instead of '&&'"],
    ['data.a = 1 || data.b = 2', 11, "write 'or' instead of '||'"],
    ['!(data.a = 1)', 0, "write 'not' instead of '!'"],
    ["createdAt > 'soon'", 12, "'soon' is not a time"],
    ['createdAt > 5', 12, 'createdAt is a time'],
    ["createdAt like '2026%'", 10, 'createdAt is a time'],
    ['', 0, 'expected a name such as type or data.total'],
    ['data.a = "\\x"', 9, 'not a text of JSON'],
    [`${'('.repeat(200)}`, 100, 'nested deeper than 100 levels'],
  ])('marks the mistake in %s', (text, offset, what) => {
    const error = failure(() => parse(text));
    expect(error).toMatchObject({ code: 'E_USAGE', details: { offset } });
    expect(error.message).toContain(what);
  });

  it('puts the mark below the mistake, on its own line of several', () => {
    expect(failure(() => parse('exists data\n and data.ü > ;')).why).toBe('Here:\n and data.ü > ;\n              ^');
  });
});

function failure(work: () => unknown): EvstoreError {
  try {
    work();
  } catch (error) {
    if (error instanceof EvstoreError) return error;
    throw error;
  }
  throw new Error('it should have failed');
}
