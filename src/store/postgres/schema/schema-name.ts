/** Where the tables live, and how a .sql file written for schema `public` is made to say so. */
import { EvstoreError } from '../../../domain/errors.js';
import { maxIdentifierBytes } from '../../../domain/limits.js';
import { quoteIdentifier } from '../connection/literals.js';

export type RenderSchema = (text: string) => string;

/** @throws E_CONFIG for a name that could not be quoted into every statement alike */
export function checkSchemaName(name: string): string {
  // Two $ in a row would end the body of a function it is written into.
  const isLegal =
    /^[\p{L}_](?:[\p{L}\p{N}_ -]|\$(?!\$))*$/u.test(name) && Buffer.byteLength(name) <= maxIdentifierBytes;
  if (isLegal && !/^pg_/i.test(name) && name.toLowerCase() !== 'information_schema') return name;
  throw new EvstoreError('E_CONFIG', `'${name}' cannot be the schema of a store`, {
    why: `A schema is letters, digits, _, single $, - and spaces, begins with a letter or _ but not pg_, and has at most ${maxIdentifierBytes} bytes.`,
  });
}

/** @param name checked already */
export function renderSchema(name: string): RenderSchema {
  const quoted = quoteIdentifier(name);
  return (text) => text.replace(/\bpublic\./g, () => `${quoted}.`);
}

/** Returns the statement by which a transaction finds the tables of the store. */
export function searchPath(schema: string): string {
  return `set local search_path = ${quoteIdentifier(schema)}, public`;
}
