/** Makes the options of a command. */
import { Option } from 'commander';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';

/**
 * An option with one value, or none. `parse` turns the text into a value or throws an `EvstoreError` (E_USAGE), which
 * then names the option. Given twice it is refused: with only the last one, the command would do something else.
 */
export function option<Value>(flags: string, description: string, parse?: (text: string) => Value): Option {
  const made = new Option(flags, description);
  if (made.variadic || !(made.required || made.optional)) return made;
  return made.argParser((text: string, before: Value | string | undefined) => {
    // A boolean is what commander assumes where there is also a --no- option.
    if (before === undefined || typeof before === 'boolean')
      return parse === undefined ? text : named(made, parse, text);
    throw new EvstoreError('E_USAGE', `${made.long} was given twice`, { why: 'It takes one value.' });
  });
}

/** An option that may be given several times; each time its values are added to those before. */
export function listOption(flags: string, description: string, parse: (text: string) => readonly string[]): Option {
  const made = new Option(flags, description);
  return made.argParser((text: string, before: readonly string[] = []) => [
    ...new Set([...before, ...named(made, parse, text)]),
  ]);
}

function named<Value>({ long }: Option, parse: (text: string) => Value, text: string): Value {
  return namingOption(long ?? '', () => parse(text));
}

/** Names the option in an error. */
export function namingOption<Value>(long: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { code, message, why, next, details } = error;
    throw new EvstoreError(code, `${long}: ${message}`, { why, next, details, cause: error });
  }
}
