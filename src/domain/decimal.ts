/** Exact decimals as text, with one spelling per value and scale: what is written equals what is read back. */

/** Digits before and after the point that both engines keep. */
const maxWholeDigits = 131_072;
const maxFractionDigits = 16_383;

/**
 * `1.50e1` → `15.0`, `+.5` → `0.5`, `-0` → `0`: no exponent, no sign before zero; trailing digits after
 * the point are kept. Returns undefined for text that is not a decimal number or has too many digits to be stored.
 */
export function normaliseDecimal(value: string | number): string | undefined {
  const [match, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(String(value).trim()) ?? [];
  if (match === undefined || whole + fraction === '') return undefined;
  const shift = Number(exponent);
  if (Math.abs(shift) > maxWholeDigits + maxFractionDigits) return undefined;
  const digits = whole + fraction;
  const point = whole.length + shift;
  const before = digits.slice(0, Math.max(point, 0)).padEnd(Math.max(point, 0), '0').replace(/^0+/, '');
  const after = point >= 0 ? digits.slice(point) : digits.padStart(digits.length - point, '0');
  if (before.length > maxWholeDigits || after.length > maxFractionDigits) return undefined;
  const isNegative = sign === '-' && /[1-9]/.test(digits);
  return `${isNegative ? '-' : ''}${before === '' ? '0' : before}${after === '' ? '' : `.${after}`}`;
}

/**
 * Compares two numbers of JSON as decimals, whatever their digits and exponents.
 * @returns less than, equal to or more than 0
 */
export function compareDecimals(one: string, other: string): number {
  const [a, b] = [readDecimal(one), readDecimal(other)];
  if (a.sign !== b.sign) return a.sign - b.sign;
  const magnitude = a.power === b.power ? compareDigits(a.digits, b.digits) : a.power < b.power ? -1 : 1;
  return a.sign * magnitude;
}

/** 0.digits × 10^power, without zeros at either end. */
interface Decimal {
  readonly sign: -1 | 0 | 1;
  readonly digits: string;
  readonly power: bigint;
}

function readDecimal(text: string): Decimal {
  const [, minus, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return { sign: 0, digits: '', power: 0n };
  const power = BigInt(exponent) - BigInt(fraction.length - digits.length);
  return { sign: minus === '-' ? -1 : 1, digits: digits.replace(/0+$/, ''), power };
}

function compareDigits(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
