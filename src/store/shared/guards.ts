/** Refuses a store whose order cannot be relied on. */
import { EvstoreError } from '../../domain/errors.js';

/**
 * @param broken a sentence for each broken guard
 * @throws E_UNSAFE_STORE naming them
 */
export function refuseBroken(broken: readonly string[]): void {
  const [first, ...others] = broken;
  if (first === undefined) return;
  const also = others.length === 0 ? '' : `Also: ${others.join('; ')}. `;
  throw new EvstoreError('E_UNSAFE_STORE', `the store cannot be read in order: ${first}`, {
    why: `${also}Reading on could skip or reorder events unnoticed.`,
    next: 'evstore doctor',
    details: { broken },
  });
}
