/** The state of the schema, also of a store whose file does not exist yet. */
import { isEvstoreError } from '../../src/domain/errors.js';
import { openStoreAt } from '../../src/store/open.js';
import type { SchemaStatus } from '../../src/store/store.js';
import type { Context } from '../options/command.js';

export interface StatusReport {
  readonly location: string;
  readonly status: SchemaStatus;
}

/** @param options `create` makes a SQLite file that is missing; without it, everything is pending there */
export async function readSchemaStatus(context: Context, options: { readonly create: boolean }): Promise<StatusReport> {
  try {
    const store = await context.openStore({ create: options.create, unchecked: true });
    return { location: store.location, status: await store.schema.status() };
  } catch (error) {
    if (options.create || !isEvstoreError(error) || error.code !== 'E_NO_SCHEMA') throw error;
    const { url } = await context.storeChoice();
    const empty = await openStoreAt('sqlite::memory:');
    try {
      return { location: url, status: await empty.schema.status() };
    } finally {
      await empty.close();
    }
  }
}
