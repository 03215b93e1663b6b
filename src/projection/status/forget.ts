/** Forgets a projection that no code defines any more. */
import { EvstoreError } from '../../domain/errors.js';
import { describeMeant } from '../../domain/similar.js';
import { findRecord } from '../../lease/registration.js';
import type { ProjectionRecord, Store } from '../../store/store.js';
import { assertDropOwned } from '../journal/owned.js';

export interface ForgetPlan {
  readonly projection: string;
  /** Live tables, and tables that swaps replaced. */
  readonly tables: readonly string[];
  /** The live read model outside the store; null for tables. */
  readonly target: string | null;
}

/** @throws E_NOT_FOUND */
export async function planForget(store: Store, name: string): Promise<ForgetPlan> {
  const { tables, target } = await findProjection(store, name);
  const { projections } = store;
  const facts = await projections.inspectTables(tables);
  const kept: string[] = [];
  for (const rebuild of await projections.rebuilds(name)) {
    if (rebuild.state === 'swapped') kept.push(...(await projections.findOwnTables(rebuild)));
  }
  return {
    projection: name,
    tables: [...facts.flatMap(({ exists, table }) => (exists ? [table] : [])), ...kept],
    target,
  };
}

/**
 * @returns the tables that were dropped, or kept
 * @throws E_NOT_FOUND, E_LOCK_HELD, E_UNSAFE_STORE as the store does: nothing was changed
 * @throws E_USAGE to drop rows outside the store
 */
export async function forgetProjection(
  store: Store,
  { projection, target, tables }: ForgetPlan,
  drop: boolean,
): Promise<readonly string[]> {
  assertDroppable(projection, target, drop);
  if (drop) await assertDropOwned(store, tables, `the drop of the tables of ${projection}`);
  return store.projections.forget(projection, drop);
}

/** @throws E_USAGE */
export function assertDroppable(projection: string, target: string | null, drop: boolean): void {
  if (!drop || target === null) return;
  throw new EvstoreError('E_USAGE', `evstore cannot drop the rows of ${projection}: they are outside this store`, {
    why: `They are in ${target}, and only code that knows that place can drop them. Drop them there yourself.`,
    next: `evstore projections forget ${projection} --keep-tables`,
  });
}

/** Finds a projection, not a saga. @throws E_NOT_FOUND */
export async function findProjection(store: Store, name: string): Promise<ProjectionRecord> {
  const record = await findRecord(store, name);
  if (record !== undefined && (record.tables.length > 0 || record.target !== null)) return record;
  const known = (await store.projections.list()).filter(({ tables, target }) => tables.length > 0 || target !== null);
  throw new EvstoreError('E_NOT_FOUND', `there is no projection ${name} in the store`, {
    why: describeMeant(known, name),
    next: 'evstore projections',
  });
}
