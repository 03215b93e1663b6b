/** The indexes on the correlation and causation ids, which are made on request. */
import { EvstoreError } from '../../domain/errors.js';
import type { IdIndex } from '../store.js';
import type { IdKey } from './filter.js';

export const idIndexNames: Readonly<Record<IdKey, string>> = {
  correlationId: 'events_correlation_id_idx',
  causationId: 'events_causation_id_idx',
};

/** Identifies what an index was made of: that of another evstore may serve no reader. */
export function identityOf(definition: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `evstore ${createHash('sha256').update(definition).digest('hex').slice(0, 16)}`;
}

/** In the order in which they are made. @param find returns undefined for one that is not there */
export function toIdIndexes(find: (name: string) => Pick<IdIndex, 'state' | 'bytes'> | undefined): readonly IdIndex[] {
  return Object.entries(idIndexNames).map(([key, name]) => ({
    name,
    key: key as IdKey,
    ...(find(name) ?? { state: 'missing', bytes: null }),
  }));
}

export function indexIsBeingMade(name: string): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `another process is making the index ${name}`, {
    why: 'An index is made by one process at a time.',
    next: 'evstore doctor',
  });
}
