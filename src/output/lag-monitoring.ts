/** Lag for monitoring systems: the text format of Prometheus, and the line Nagios reads. */
import { count } from '../domain/words.js';
import type { LagReport, ProjectionLag } from '../projection/status/lag.js';
import { sanitise } from '../terminal/sanitise.js';

interface Metric {
  readonly name: string;
  readonly help: string;
  /** Null leaves the sample out. */
  readonly value: (lag: ProjectionLag) => number | null;
}

const metrics: readonly Metric[] = [
  { name: 'evstore_projection_position', help: 'Checkpoint of the projection.', value: ({ position }) => position },
  { name: 'evstore_projection_lag', help: 'Positions behind the safe head.', value: ({ lag }) => lag },
  {
    name: 'evstore_projection_waiting',
    help: 'Waiting events, if they were counted.',
    value: ({ waiting }) => waiting ?? null,
  },
  {
    name: 'evstore_projection_oldest_waiting_seconds',
    help: 'Age of the oldest waiting event; 0 when none waits.',
    value: ({ ageMs }) => (ageMs ?? 0) / 1_000,
  },
  { name: 'evstore_projection_rate', help: 'Events a second, as its runner last measured.', value: ({ rate }) => rate },
  {
    name: 'evstore_projection_running',
    help: '1 if a process is running it.',
    value: ({ owner }) => (owner === null ? 0 : 1),
  },
  {
    name: 'evstore_projection_failed',
    help: '1 when its last event failed.',
    value: ({ error }) => (error === null ? 0 : 1),
  },
  {
    name: 'evstore_projection_stale',
    help: '1 when the code that last asked to run it is newer than its rows.',
    value: ({ stale }) => (stale ? 1 : 0),
  },
  { name: 'evstore_projection_parked', help: 'Parked events.', value: ({ parked }) => parked },
];

export function renderPrometheus({ head, safeHead, projections }: LagReport): string {
  const log = [
    ...describe('evstore_head', 'Last visible position of the log.'),
    `evstore_head ${head}`,
    ...describe('evstore_safe_head', 'Last position below which nothing can still appear.'),
    `evstore_safe_head ${safeHead}`,
  ];
  const lines = metrics.flatMap(({ name, help, value }) => [
    ...describe(name, help),
    ...projections.flatMap((lag) => {
      const sample = value(lag);
      return sample === null ? [] : [`${name}{projection="${escapeLabel(lag.name)}"} ${sample}`];
    }),
  ]);
  return `${[...log, ...lines].join('\n')}\n`;
}

/** @param over one phrase for each limit that is exceeded */
export function renderNagios({ projections }: LagReport, over: readonly string[]): string {
  const verdict =
    over.length > 0 ? `LAG WARNING - ${over.join('; ')}` : `LAG OK - ${count(projections.length, 'projection')}`;
  const measured = projections.map(({ name, lag }) => `'${name.replace(/['=|]/g, '_')}'=${lag}`);
  return `${sanitise(verdict.replaceAll('|', '/'))} | ${sanitise(measured.join(' '))}\n`;
}

function describe(name: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
}

function escapeLabel(text: string): string {
  return sanitise(text).replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
