/** Compares a rebuild that is ready with the live read model, without swapping it in. */
import { EvstoreError } from '../../domain/errors.js';
import { findReady } from '../journal/find.js';
import { type TablesOptions, withReadyTables } from '../journal/tables.js';
import { type CompareOptions, compareRebuilt, type Diff } from './compare.js';
import { findFaults } from './validate.js';

export type DiffOptions = CompareOptions & TablesOptions;

export interface DiffReport extends Diff {
  readonly projection: string;
  /** Rows that `validate` returned for the rebuilt tables. */
  readonly faults: readonly unknown[];
}

/**
 * @throws E_NOT_FOUND, E_STALE_PROJECTION as `findReady`; E_NOT_FOUND without a live table
 * @throws E_TIMEOUT, E_CONFIG, E_SUPERSEDED as `compareRebuilt`
 */
export async function diffReady(options: DiffOptions): Promise<DiffReport> {
  const { store, projection } = options;
  const { name } = projection;
  const rebuild = await findReady(store, projection);
  return withReadyTables(options, projection, rebuild, async (held, tables) => {
    const diff = await compareRebuilt(held, tables);
    if (diff === null) throw noLiveTable(name);
    const faults = await findFaults(store, projection, rebuild);
    return { projection: name, ...diff, faults: faults.map((fault): unknown => JSON.parse(fault)) };
  });
}

function noLiveTable(name: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `${name} has no live rows to compare with`, {
    why: 'It never ran, so its only rows are the rebuilt ones.',
    next: `evstore swap ${name}`,
  });
}
