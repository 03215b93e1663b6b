/** Names the error when the table of a read model is missing. */
import { EvstoreError } from '../../domain/errors.js';

export function lostTable(table: string, cause: unknown): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `the table ${table} of a projection is gone`, {
    why: 'It was dropped or renamed outside evstore. A rebuild creates it again.',
    next: 'evstore projections',
    details: { table },
    cause,
  });
}
