/** Saga instances that cannot end without a person or a runner. */
import { formatDuration } from '../domain/duration.js';
import type { Finding } from '../domain/finding.js';
import { shellWord } from '../domain/shell-word.js';
import type { UnsettledInstance } from '../saga/unsettled.js';
import { defineCheck } from './check.js';

/** An instance that a process works on, and that has not moved for this long, is overdue. */
const overdueMs = 60 * 60 * 1000;

export const sagasCheck = defineCheck({
  name: 'sagas',
  purpose: 'no saga instance is stuck, overdue, or failed to compensate',
  needs: ['sagas'],
  judge: ({ sagas: { instances, isComplete } }, now) => [
    ...instances.flatMap((instance) => judgeInstance(instance, now)),
    ...(isComplete ? [] : [more]),
  ],
});

const more: Finding = {
  kind: 'sagas-unread',
  severity: 'note',
  subject: 'sagas',
  detail: 'have more instances to look at than this check reads: others may need attention',
  next: 'evstore saga list --state compensation-failed',
};

function judgeInstance({ report, movedAt, owner }: UnsettledInstance, now: Date): readonly Finding[] {
  const { saga, instance, state, steps, reason, error } = report;
  const subject = `saga ${saga} ${instance}`;
  const step = steps.at(-1)?.name;
  const place = step === undefined ? 'before its first step' : `at step ${step}`;
  const shown = error ?? reason;
  const evidence = shown === null ? {} : { evidence: shown };
  if (state === 'compensation-failed') {
    const failed = steps.find((each) => each.state === 'stuck')?.name ?? step;
    const detail = `could not undo step ${failed}, and will not try again`;
    const next = `evstore saga retry ${shellWord(saga)} ${shellWord(instance)}`;
    return [{ kind: 'compensation-failed', severity: 'error', subject, detail, ...evidence, next }];
  }
  const still = now.getTime() - Date.parse(movedAt);
  const since = `has not moved for ${formatDuration(Math.max(0, still))}`;
  if (owner === null) {
    const detail = `is ${state} ${place}, ${since}, and no process runs the saga`;
    const next = `evstore run ${shellWord(saga)} --once --sagas`;
    return [
      { kind: 'saga-stuck', severity: still > overdueMs ? 'error' : 'warning', subject, detail, ...evidence, next },
    ];
  }
  if (still <= overdueMs) return [];
  const detail = `is ${state} ${place}, and ${since}, although ${owner} runs the saga`;
  const next = `evstore saga show ${shellWord(saga)} ${shellWord(instance)}`;
  return [{ kind: 'saga-overdue', severity: 'warning', subject, detail, ...evidence, next }];
}
