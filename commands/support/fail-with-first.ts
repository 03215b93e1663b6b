/** How a command ends that did several things and met several failures. */
import type { EvstoreError } from '../../src/domain/errors.js';
import type { Context } from '../options/command.js';

/** The first failure decides the exit code; the others are told. */
export async function failWithFirst([first, ...others]: readonly EvstoreError[], context: Context): Promise<number> {
  for (const error of others) await context.warn(`${error.message} (${error.code})`);
  if (first !== undefined) throw first;
  return 0;
}
