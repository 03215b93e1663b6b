/** The schema of the tables, and how it replaces `public` in a .sql file. */
import { EvstoreError } from '../../../domain/errors.js';
import { maxIdentifierBytes } from '../../../domain/limits.js';
import { quoteIdentifier } from '../connection/literals.js';

export type RenderSchema = (text: string) => string;

/** @throws E_CONFIG for a name that cannot be quoted the same way in every statement */
export function checkSchemaName(name: string): string {
  // Two $ in a row would end the body of a function.
  const isLegal =
    /^[\p{L}_](?:[\p{L}\p{N}_ -]|\$(?!\$))*$/u.test(name) && Buffer.byteLength(name) <= maxIdentifierBytes;
  if (isLegal && !/^pg_/i.test(name) && name.toLowerCase() !== 'information_schema') return name;
  throw new EvstoreError('E_CONFIG', `'${name}' cannot be the schema of a store`, {
    why: `A schema name has letters, digits, _, single $, - and spaces, begins with a letter or _ but not pg_, and has at most ${maxIdentifierBytes} bytes.`,
  });
}

/** @param name a checked one */
export function renderSchema(name: string): RenderSchema {
  const quoted = quoteIdentifier(name);
  return (text) => text.replace(/\bpublic\./g, () => `${quoted}.`);
}

/** Returns the statement by which a transaction finds the tables of the store. */
export function searchPath(schema: string): string {
  return `set local search_path = ${quoteIdentifier(schema)}, public`;
}
