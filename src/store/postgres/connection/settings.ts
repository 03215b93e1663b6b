/**
 * What the statements of evstore depend on. Every transaction sets it for itself, so that a role, a database, a server or
 * a pooler that sets something else changes no result.
 */
import { quoteIdentifier, quoteLiteral } from './literals.js';

const settings: Readonly<Record<string, string>> = {
  array_nulls: 'on',
  bytea_output: 'hex',
  datestyle: 'ISO, MDY',
  extra_float_digits: '1',
  intervalstyle: 'postgres',
  lock_timeout: '0',
  quote_all_identifiers: 'off',
  // The server raises an error where row-level security would hide rows.
  row_security: 'off',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  timezone: 'UTC',
  transform_null_equals: 'off',
};

export interface SessionSettings {
  /** Statements to send before others in one message. */
  readonly script: string;
  /** One statement with the same effect, for the extended protocol. */
  readonly statement: string;
}

/** @param schema of the store: operators and functions of no other schema are found */
export function settingsOf(schema: string): SessionSettings {
  const all = Object.entries({ ...settings, search_path: `pg_catalog, ${quoteIdentifier(schema)}` });
  const calls = all.map(([name, value]) => `pg_catalog.set_config('${name}', ${quoteLiteral(value)}, true)`);
  const lists = ['datestyle', 'search_path'];
  return {
    script: all
      .map(([name, value]) => `set local ${name} = ${lists.includes(name) ? value : quoteLiteral(value)}`)
      .join('; '),
    statement: `select ${calls.join(', ')}`,
  };
}
