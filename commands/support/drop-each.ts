/** Drops the tables of several rebuilds: one that fails does not keep the others. */
import { type EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import type { DropPlan } from '../../src/projection/journal/drop.js';
import type { Context } from '../options/command.js';

/** Returns the errors of those that were not dropped. */
export async function dropEach(
  plans: readonly DropPlan[],
  drop: (plan: DropPlan) => Promise<unknown>,
): Promise<ReadonlyMap<DropPlan, EvstoreError>> {
  const errors = new Map<DropPlan, EvstoreError>();
  for (const plan of plans) {
    try {
      await drop(plan);
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
      errors.set(plan, error);
    }
  }
  return errors;
}

/** Says which tables have the name of one of evstore's. */
export async function noteLeft(left: readonly string[], context: Context): Promise<void> {
  if (left.length > 0) await context.note(`${left.join(', ')} is left as it is: evstore did not make it`);
}
