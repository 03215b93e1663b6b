import type { Rebuild, RebuildState } from './rebuild.js';

/** States that end in `swapped` or `aborted`; a projection has at most one rebuild in one of them. */
const unfinishedStates: readonly RebuildState[] = ['planned', 'filling', 'ready'];

export function isUnfinished({ state }: Pick<Rebuild, 'state'>): boolean {
  return unfinishedStates.includes(state);
}
