/** How instances of sagas are listed. */
import { formatDuration } from '../../src/domain/duration.js';
import type { Mark } from '../../src/output/glyphs.js';
import { showTime } from '../../src/output/relative-time.js';
import type { View } from '../../src/output/view.js';
import type { InstanceSummary, StepDetail } from '../../src/saga/inspect.js';
import type { OverdueKind } from '../../src/saga/overdue.js';
import type { ListColumn } from './print-list.js';

export type ListedOverdue = InstanceSummary & {
  readonly kind: OverdueKind;
  readonly why: string;
  readonly stillMs: number;
};

export function markOf({ state, error }: Pick<InstanceSummary, 'state' | 'error'>): Mark {
  if (state === 'compensation-failed') return 'bad';
  if (state === 'compensating' || error !== null) return 'caution';
  return state === 'running' ? 'active' : 'idle';
}

export function instanceColumns(view: View): readonly ListColumn<InstanceSummary>[] {
  const now = view.now.getTime();
  return [
    { heading: 'saga', field: ({ saga }) => saga, rank: 'low' },
    { heading: 'instance', field: ({ instance }) => instance, isName: true },
    { heading: 'state', field: ({ state }) => state, rank: 'high' },
    { heading: 'version', field: ({ version }) => version, align: 'right', rank: 'low' },
    { heading: 'step', field: ({ step }) => step },
    { heading: 'reason', field: ({ reason }) => reason, rank: 'low' },
    { heading: 'error', field: ({ error }) => error, isBelow: true },
    {
      heading: 'since',
      title: 'in step',
      field: ({ since }) => since,
      text: ({ since }) => formatDuration(Math.max(0, now - Date.parse(since))),
      align: 'right',
    },
    {
      heading: 'dueAt',
      title: 'next',
      field: ({ dueAt }) => dueAt,
      text: ({ dueAt }) => (dueAt === null ? '' : showTime(dueAt, view, 'relative')),
      rank: 'low',
    },
    { heading: 'waitKey', title: 'waits for', field: ({ waitKey }) => waitKey, rank: 'low' },
    { heading: 'owner', field: ({ owner }) => owner, rank: 'low' },
  ];
}

export const stepColumns: readonly ListColumn<StepDetail>[] = [
  { heading: 'step', field: ({ name }) => name },
  { heading: 'state', field: ({ state }) => state, rank: 'high' },
  { heading: 'attempts', field: ({ attempts }) => attempts, align: 'right' },
  { heading: 'compensations', field: ({ compensations }) => compensations, align: 'right' },
  { heading: 'error', field: ({ error }) => error, isBelow: true },
  {
    heading: 'compensationError',
    field: ({ compensationError }) => compensationError,
    isBelow: true,
  },
  { heading: 'startedAt', field: ({ startedAt }) => startedAt },
  { heading: 'endedAt', field: ({ endedAt }) => endedAt },
  { heading: 'compensatedAt', field: ({ compensatedAt }) => compensatedAt },
];

export const overdueColumns: readonly ListColumn<ListedOverdue>[] = [
  { heading: 'saga', field: ({ saga }) => saga, rank: 'low' },
  { heading: 'instance', field: ({ instance }) => instance, isName: true },
  { heading: 'state', field: ({ state }) => state, rank: 'high' },
  { heading: 'step', field: ({ step }) => step },
  {
    heading: 'stillMs',
    title: 'still for',
    field: ({ stillMs }) => stillMs,
    text: ({ stillMs }) => formatDuration(stillMs),
    align: 'right',
    rank: 'high',
  },
  { heading: 'owner', field: ({ owner }) => owner },
  {
    heading: 'error',
    field: ({ error }) => error,
    text: ({ error, why }) => (error === null ? why : `${error}; ${why}`),
    isBelow: true,
  },
  { heading: 'why', field: ({ why }) => why, isForPrograms: true },
];
