import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseDecimal } from '../../src/domain/decimal.js';

describe('normaliseDecimal', () => {
  it.each([
    ['10.50', '10.50'],
    [10.5, '10.5'],
    ['-0', '0'],
    ['-0.00', '0.00'],
    ['+.5', '0.5'],
    ['5.', '5'],
    ['007', '7'],
    ['1e3', '1000'],
    ['1.50e1', '15.0'],
    ['12.5e-3', '0.0125'],
    [1e21, '1000000000000000000000'],
    [1e-7, '0.0000001'],
    ['-1.5', '-1.5'],
    ['12345678901234567890.10', '12345678901234567890.10'],
  ])('%s → %s', (value, expected) => {
    expect(normaliseDecimal(value)).toBe(expected);
  });

  it.each(['', '.', 'e1', '1,5', '0x10', 'NaN', 'Infinity', '1e200000', '--1', '1e'])('refuses %s', (value) => {
    expect(normaliseDecimal(value)).toBeUndefined();
  });

  it('keeps the value of any number, in one spelling', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const decimal = normaliseDecimal(value);
        expect(Number(decimal)).toBe(value === 0 ? 0 : value);
        expect(normaliseDecimal(decimal ?? '')).toBe(decimal);
      }),
    );
  });
});
