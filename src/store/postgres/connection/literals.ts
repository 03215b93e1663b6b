/** Writes names and values into the text of a statement. */
import { EvstoreError } from '../../../domain/errors.js';
import { driver } from './driver.js';
import type { Parameter } from './values.js';

/** Matches a placeholder. Also matches quoted names and texts, so that a `$1` in one of them is left alone. */
const quotedOrPlace = /"[^"]*"|'[^']*'|\$(\d+)/g;

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Replaces the placeholders by the parameters: COPY takes none.
 * @throws E_INVALID_INPUT for a text with U+0000, which would end the statement, and for a value of any other type
 */
export function fillIn(text: string, parameters: readonly Parameter[]): string {
  return text.replace(quotedOrPlace, (found, place?: string) => {
    return place === undefined ? found : toLiteral(parameters[Number(place) - 1] ?? null);
  });
}

/** The same value whatever `standard_conforming_strings` is. */
function toLiteral(value: Parameter): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array[${value.map(toLiteral).join(',')}]`;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  // An object writes itself: its text would be part of the statement.
  if (typeof value !== 'string')
    throw new EvstoreError('E_INVALID_INPUT', `a value of a statement is a ${typeof value}`);
  if (value.includes('\0')) {
    throw new EvstoreError('E_INVALID_INPUT', 'the database cannot hold this value', {
      why: 'A text of Postgres cannot contain U+0000.',
    });
  }
  return driver.escapeLiteral(value);
}
