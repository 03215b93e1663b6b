/** Makes one option of a command. */
import { Option } from 'commander';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';

/** An option; `parse` turns the text into a value or throws an `EvstoreError` (E_USAGE), which then names the option. */
export function option<Value>(
  flags: string,
  description: string,
  parse?: (text: string, before: Value | undefined) => Value,
): Option {
  const made = new Option(flags, description);
  if (parse === undefined) return made;
  return made.argParser((text: string, before: Value | undefined) => {
    try {
      return parse(text, before);
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
      const { code, message, why, next, details } = error;
      throw new EvstoreError(code, `${made.long}: ${message}`, { why, next, details, cause: error });
    }
  });
}
