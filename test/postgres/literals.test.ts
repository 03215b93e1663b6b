/** Values in the text of a COPY, which takes no parameters. */
import { expect, test } from 'vitest';
import { fillIn } from '../../src/store/postgres/connection/literals.js';

test('numbers, booleans, strings, null and lists of them become literals', () => {
  const values = [7, true, "o'clock", null, ['a', "'b'"], 3n as never];
  expect(fillIn('$1 $2 $3 $4 $5 $6 \'$1\' "$1"', values)).toBe(`7 true 'o''clock' null array['a','''b'''] 3 '$1' "$1"`);
});

test('anything else is refused, whatever text it would write', () => {
  const attack = () => "'s' or true";
  const wrong = [{ toString: attack }, new String("'s' or true"), new Date(), Symbol('s'), attack, undefined];
  for (const value of [...wrong.slice(0, -1), [wrong[0]]]) {
    expect(() => fillIn('$1', [value as never])).toThrow('a value of a statement is a');
  }
});
