/** Lag for monitoring systems: the text format of Prometheus, and the line Nagios reads. */
import { describeFinding, type Finding, sortFindings } from '../domain/finding.js';
import { count } from '../domain/words.js';
import type { SagaLag } from '../findings/examine.js';
import { isHeld } from '../findings/held-back.js';
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
  {
    name: 'evstore_projection_lag',
    help: 'Events that wait for the projection; see evstore_projection_lag_estimated.',
    value: ({ lag }) => lag,
  },
  {
    name: 'evstore_projection_lag_estimated',
    help: '1 when not all of them were counted.',
    value: ({ estimated }) => (estimated ? 1 : 0),
  },
  {
    name: 'evstore_projection_positions',
    help: 'Positions behind the safe head, with events that the projection does not handle.',
    value: ({ positions }) => positions,
  },
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

export function renderPrometheus(
  report: LagReport,
  findings: readonly Finding[],
  sagas: readonly SagaLag[] = [],
): string {
  const { head, safeHead, heldBackBy, projections } = report;
  const log = [
    ...describe('evstore_head', 'Last visible position of the log.'),
    `evstore_head ${head}`,
    ...describe('evstore_safe_head', 'Last position below which nothing can still appear.'),
    `evstore_safe_head ${safeHead}`,
    ...describe(
      'evstore_readers_held_positions',
      'Positions that no reader may read yet, because a transaction is open.',
    ),
    `evstore_readers_held_positions ${head - safeHead}`,
    ...describe('evstore_readers_held_seconds', 'For how long that transaction has been open; 0 without one.'),
    `evstore_readers_held_seconds ${(heldBackBy?.ageMs ?? 0) / 1_000}`,
    ...describe('evstore_findings', 'What must be fixed (error) or known (warning) about readers, by kind.'),
    ...countKinds(findings),
  ];
  const lines = metrics.flatMap(({ name, help, value }) => [
    ...describe(name, help),
    ...projections.flatMap((lag) => {
      const sample = value(lag);
      return sample === null ? [] : [`${name}{projection="${escapeLabel(lag.name)}"} ${sample}`];
    }),
  ]);
  return `${[...log, ...lines, ...countInstances(sagas)].join('\n')}\n`;
}

function countInstances(sagas: readonly SagaLag[]): readonly string[] {
  if (sagas.length === 0) return [];
  return [
    ...describe('evstore_saga_instances', 'Instances of the saga by state, with those that have ended.'),
    ...sagas.flatMap(({ saga, states }) =>
      states.map(
        ({ state, instances }) => `evstore_saga_instances{saga="${escapeLabel(saga)}",state="${state}"} ${instances}`,
      ),
    ),
    ...describe('evstore_saga_overdue', 'Instances that evstore saga overdue lists.'),
    ...sagas.map(({ saga, overdue }) => `evstore_saga_overdue{saga="${escapeLabel(saga)}"} ${overdue}`),
  ];
}

function countKinds(findings: readonly Finding[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { kind, severity } of sortFindings(findings).filter((each) => each.severity !== 'note')) {
    const labels = `severity="${severity}",kind="${kind}"`;
    counts.set(labels, (counts.get(labels) ?? 0) + 1);
  }
  return [...counts].map(([labels, number]) => `evstore_findings{${labels}} ${number}`);
}

/** What Nagios is told. Readers that are held do not move before a person acts, so that is critical. */
export function judgeNagios(report: LagReport, findings: readonly Finding[]) {
  const faults = sortFindings(findings).filter(({ severity }) => severity !== 'note');
  const isCritical = faults.some(
    ({ kind, severity }) => (kind === 'held-back' && isHeld(report)) || (severity === 'error' && !/^over-/.test(kind)),
  );
  const state = faults.length === 0 ? 'OK' : isCritical ? 'CRITICAL' : 'WARNING';
  return { state, faults } as const;
}

/** @param findings what is over a limit, and what else is wrong with readers */
export function renderNagios(report: LagReport, findings: readonly Finding[]): string {
  const { projections } = report;
  const { state, faults } = judgeNagios(report, findings);
  const sentences = [...new Set(faults.map(describeFinding))];
  const what = sentences.length > 0 ? sentences.join('; ') : count(projections.length, 'projection');
  const measured = projections.map(({ name, lag }) => `'${name.replace(/['=|]/g, '_')}'=${lag}`);
  return `${sanitise(`LAG ${state} - ${what}`.replaceAll('|', '/'))} | ${sanitise(measured.join(' '))}\n`;
}

function describe(name: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
}

function escapeLabel(text: string): string {
  return sanitise(text).replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
