/** Rows that do not fit their checkpoint, because it was moved by hand and no rebuild was swapped in since. */
import type { Finding } from '../domain/finding.js';
import { groupDigits } from '../domain/numbers.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import { showInstant } from '../domain/timestamp.js';
import type { CheckpointChange, Rebuild } from '../store/store.js';
import { defineCheck } from './check.js';
import { hasRows } from './cursors.js';

export const movedCheck = defineCheck({
  name: 'moved checkpoints',
  purpose: 'the rows of every projection fit its checkpoint',
  needs: ['changes', 'records', 'rebuilds'],
  judge: ({ changes, records, rebuilds }) => {
    const names = new Set(records.filter(hasRows).map(({ name }) => name));
    const seen = new Set<string>();
    // The newest first: one change of each checkpoint is enough to make its rows wrong.
    return changes.flatMap((change) => {
      const { projection } = partOf(change.subscriptionId);
      const isOf = names.has(projection) && !seen.has(change.subscriptionId);
      if (!isOf || change.to === change.from || change.events === 0 || isRebuilt(change, projection, rebuilds))
        return [];
      seen.add(change.subscriptionId);
      return [toFinding(change, projection)];
    });
  },
});

function isRebuilt({ at }: CheckpointChange, projection: string, rebuilds: readonly Rebuild[]): boolean {
  return rebuilds.some(
    ({ projection: name, swappedAt }) =>
      name === projection && swappedAt !== null && Date.parse(swappedAt) > Date.parse(at),
  );
}

function toFinding(
  { subscriptionId, from, to, events, estimated, at, by }: CheckpointChange,
  projection: string,
): Finding {
  const many = events === null ? 'the events between' : `${estimated ? '~' : ''}${groupDigits(events)} of its events`;
  const isSkipped = to !== null && to > from;
  const effect = isSkipped ? `${many} are missing from its rows` : `a run applies ${many} to its rows again`;
  return {
    kind: 'moved-by-hand',
    severity: 'warning',
    subject: subscriptionId,
    detail: `was moved from position ${groupDigits(from)} to ${to === null ? 'the start' : groupDigits(to)}: ${effect}`,
    evidence: `${by} moved it at ${showInstant(at)}`,
    next: `evstore rebuild ${shellWord(projection)}`,
  };
}
