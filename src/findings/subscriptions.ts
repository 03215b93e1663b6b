/** Subscriptions that stopped, and those of programs that are gone. */

import { formatDuration } from '../domain/duration.js';
import type { Finding } from '../domain/finding.js';
import { groupDigits } from '../domain/numbers.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import { runCommand } from '../domain/subscription-names.js';
import { showInstant } from '../domain/timestamp.js';
import type { Checkpoint, ProjectionRecord } from '../store/store.js';
import { defineCheck } from './check.js';

/** A subscription that is behind and has not moved for this long counts as abandoned. */
const abandonedMs = 24 * 60 * 60 * 1000;

export const stoppedCheck = defineCheck({
  name: 'stopped',
  purpose: 'no projection stopped at an event',
  needs: ['checkpoints', 'head'],
  judge: ({ checkpoints, head }, now) =>
    checkpoints.flatMap((checkpoint) => judgeStopped(checkpoint, head.safeHead, now)),
});

export const foreignCheck = defineCheck({
  name: 'foreign checkpoints',
  purpose: 'every other subscription still moves',
  needs: ['checkpoints', 'records', 'head'],
  judge: ({ checkpoints, records, head }, now) =>
    checkpoints.filter((each) => isForeign(each, records)).map((each) => judgeForeign(each, head.safeHead, now)),
});

function isForeign({ subscriptionId }: Checkpoint, records: readonly ProjectionRecord[]): boolean {
  return !records.some(({ name }) => name === partOf(subscriptionId).projection);
}

function judgeStopped(
  { subscriptionId, position, lastError, owner, updatedAt }: Checkpoint,
  safeHead: number,
  now: Date,
): readonly Finding[] {
  if (lastError === null) return [];
  const run = runCommand(subscriptionId);
  const forMs = Math.max(0, now.getTime() - Date.parse(updatedAt));
  const place = `at position ${groupDigits(position)} of ${groupDigits(safeHead)}, where it has been for ${formatDuration(forMs)}`;
  return [
    {
      kind: 'stopped',
      severity: 'error',
      subject: subscriptionId,
      detail: owner === null ? `stopped ${place}` : `failed ${place}; ${owner} tries again`,
      evidence: lastError,
      next: run === null ? null : `${run} --once --on-error park`,
    },
  ];
}

function judgeForeign({ subscriptionId, position, updatedAt }: Checkpoint, safeHead: number, now: Date): Finding {
  const isAbandoned = position < safeHead && now.getTime() - Date.parse(updatedAt) > abandonedMs;
  return {
    kind: 'foreign-checkpoint',
    severity: isAbandoned ? 'warning' : 'note',
    subject: subscriptionId,
    detail: isAbandoned
      ? `belongs to no projection, and is at position ${groupDigits(position)} of ${groupDigits(safeHead)} since ${showInstant(updatedAt)}`
      : 'belongs to no projection: another program stores its position here',
    next: isAbandoned ? `evstore checkpoints delete ${shellWord(subscriptionId)} --execute` : null,
  };
}
