/** The indexes on ids, which a store need not have. */
import type { IdIndex } from '../store/store.js';
import { defineCheck } from './check.js';

export const idIndexesCheck = defineCheck({
  name: 'indexes on ids',
  purpose: 'readers can use the indexes on correlation and causation ids, where there are any',
  needs: ['idIndexes'],
  judge: ({ idIndexes }) =>
    idIndexes
      .filter(({ state }) => state === 'broken')
      .map(({ name }) => ({
        kind: 'broken-index',
        severity: 'warning',
        subject: name,
        detail: 'serves no reader, and makes appends slower: it was left unfinished, or another evstore made it',
        next: 'evstore init --index correlation',
      })),
});

/** `missing`, or `events_correlation_id_idx ready, events_causation_id_idx broken`. */
export function describeIdIndexes(indexes: readonly IdIndex[]): string {
  const states = [...new Set(indexes.map(({ state }) => state))];
  return states.length === 1 ? states.join() : indexes.map(({ name, state }) => `${name} ${state}`).join(', ');
}
