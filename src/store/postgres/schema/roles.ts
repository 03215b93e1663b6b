/** Prints the roles of a store as a script for psql. */
import { EvstoreError } from '../../../domain/errors.js';
import { openSqlFolder } from '../../shared/sql.js';
import { quoteIdentifier } from '../connection/literals.js';
import { checkSchemaName, renderSchema } from './schema-name.js';

export interface RolesOptions {
  /** Default `public`. */
  readonly schema?: string | undefined;
  /** The roles are PREFIX_owner, PREFIX_app, PREFIX_runner and PREFIX_reader. Roles belong to all databases of a server. */
  readonly prefix: string;
}

/**
 * Connects to nothing.
 * @throws E_USAGE for a prefix that is not a plain name, E_CONFIG for a bad schema name
 */
export function printRolesSql({ schema = 'public', prefix }: RolesOptions): string {
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(prefix) || prefix.startsWith('pg_')) {
    throw new EvstoreError('E_USAGE', `'${prefix}' cannot begin the names of roles`, {
      why: 'A prefix has lower-case letters, digits and _, and does not begin with pg_.',
      next: 'evstore init --roles shop',
    });
  }
  const text = openSqlFolder(new URL('../', import.meta.url))('roles');
  const named = text.replace(/\bevstore_(owner|app|runner|reader)\b/g, `${prefix}_$1`);
  const placed = named.replace(/\bschema public\b/g, () => `schema ${quoteIdentifier(schema)}`);
  return `${renderSchema(checkSchemaName(schema))(placed)}\n`;
}
