/** Saga instances that cannot end without a person or a runner. */
import type { Finding } from '../domain/finding.js';
import { shellWord } from '../domain/shell-word.js';
import { count } from '../domain/words.js';
import type { SagaHealth } from '../saga/health.js';
import type { OverdueInstance, OverdueKind } from '../saga/overdue.js';
import { defineCheck } from './check.js';

export const sagasCheck = defineCheck({
  name: 'sagas',
  purpose: 'no saga instance is stuck, overdue, without code, or failed to compensate',
  needs: ['sagas'],
  judge: ({ sagas: { overdue, withoutCode, deadOwners } }) => [
    ...overdue.instances.map(judgeInstance),
    ...(overdue.isComplete ? [] : [more]),
    ...withoutCode.map(judgeCode),
    ...deadOwners.map(judgeOwner),
  ],
});

/** Streams are the truth: a row that differs hides its instance from the processes that run the saga. */
export const sagaRowsCheck = defineCheck({
  name: 'rows of sagas',
  purpose: 'the rows of saga instances are as new as their streams, in those that were looked at',
  needs: ['sagaRows'],
  judge: ({ sagaRows: { behind, looked } }) => {
    const [first] = behind;
    if (first === undefined) return [];
    return [
      {
        kind: 'saga-rows',
        severity: 'error',
        subject: 'sagas',
        detail: `have rows that are missing or older than their streams: ${behind.length} of ${looked} that were looked at`,
        evidence: `e.g. ${first.saga} ${first.instance}`,
        next: 'evstore doctor --fix sagas',
      },
    ];
  },
});

const more: Finding = {
  kind: 'sagas-unread',
  severity: 'note',
  subject: 'sagas',
  detail: 'have more instances to look at than this check reads: others may need attention',
  next: 'evstore saga overdue',
};

const kinds: Readonly<Record<OverdueKind, Pick<Finding, 'kind' | 'severity'>>> = {
  'compensation-failed': { kind: 'compensation-failed', severity: 'error' },
  'compensation-failing': { kind: 'compensation-failing', severity: 'warning' },
  'not-run': { kind: 'saga-stuck', severity: 'warning' },
  held: { kind: 'saga-overdue', severity: 'warning' },
  waiting: { kind: 'saga-overdue', severity: 'warning' },
};

/** Of an instance that no process takes: then it is an error. */
const stuckMs = 60 * 60 * 1_000;

function judgeInstance({ record, kind, why, forMs }: OverdueInstance): Finding {
  const { saga, instance, error, reason } = record;
  const evidence = error ?? reason;
  const { severity, ...named } = kinds[kind];
  return {
    ...named,
    severity: kind === 'not-run' && forMs > stuckMs ? 'error' : severity,
    subject: `saga ${saga} ${instance}`,
    detail: `is overdue: ${why}`,
    ...(evidence !== null && { evidence }),
    next: nextOf(saga, instance, kind),
  };
}

export function nextOf(saga: string, instance: string, kind: OverdueKind): string {
  const named = `${shellWord(saga)} ${shellWord(instance)}`;
  if (kind === 'compensation-failed') return `evstore saga retry ${named}`;
  return kind === 'not-run' ? `evstore run ${shellWord(saga)} --once --sagas` : `evstore saga show ${named}`;
}

function judgeCode({ saga, version, phase, instances }: SagaHealth['withoutCode'][number]): Finding {
  return {
    kind: 'saga-code-missing',
    severity: 'error',
    subject: `saga ${saga} version ${version}`,
    detail: `has ${count(instances, `${phase} instance`)}, and the process that last read the log for it had no code of it`,
    next: `evstore saga list ${shellWord(saga)}`,
  };
}

function judgeOwner({ owner, instances }: SagaHealth['deadOwners'][number]): Finding {
  const saga = owner.split('/')[1];
  return {
    kind: 'saga-owner-ended',
    severity: 'warning',
    subject: 'sagas',
    detail: `have ${count(instances, 'instance')} held by ${owner}, which has ended; the next process that runs the saga takes them`,
    next: saga === undefined ? null : `evstore run ${shellWord(saga)} --once --sagas`,
  };
}
