/** Describes what a rebuild would do, and what one did. */

import { formatDuration } from '../domain/duration.js';
import { showInstant } from '../domain/timestamp.js';
import { count } from '../domain/words.js';
import type { RebuildProgress } from '../projection/journal/steps.js';
import type { RebuildPlanned } from '../projection/rebuild/plan.js';
import type { RebuildReport } from '../projection/rebuild/rebuilding.js';
import { renderMarkdownTable } from './markdown-table.js';
import { groupDigits } from './numbers.js';

/** @param keepOldUntil null: the old tables are kept until `gc` drops them */
export function describeWayBack(projection: string, keepOldUntil: string | null): string {
  const until = keepOldUntil === null ? '' : ` until ${showInstant(keepOldUntil)}`;
  return `undo it${until} with: evstore rollback ${projection}`;
}

/** Returns one line for each fact. */
export function describePlan(plan: RebuildPlanned): readonly string[] {
  const { projection, action, fromVersion, toVersion, types, category, livePosition, from, target } = plan;
  const version = describeVersions(fromVersion, toVersion);
  const begun = { start: '', resume: `, resumed at position ${groupDigits(from)}`, restart: ', restarted' }[action];
  const matching = types === 'all' ? 'every event' : listSome(types);
  const live = livePosition === null ? 'no live table' : `the live table is at ${groupDigits(livePosition)}`;
  return [
    `rebuild ${projection} (${version}${begun})`,
    ...describeResumed(plan),
    `  reads ${matching}${category === null ? '' : ` of category ${category}`} up to position ${groupDigits(target)}; ${live}`,
    ...plan.tables.map(({ table, exists, estimatedRows, indexes, carried }) => {
      if (!exists) return `  table ${table}: created`;
      const rows = estimatedRows === null ? '' : `, about ${count(estimatedRows, 'row')}`;
      const kept = carried.map(({ kind, name }) => `${kind} ${name}`).join(', ');
      return `  table ${table}: ${count(indexes.length, 'index', 'indexes')}${rows}${kept === '' ? '' : `; carried over to the new table: ${kept}`}`;
    }),
  ];
}

export function describeReport(report: RebuildReport): string {
  const { projection, rebuild, outcome, toVersion, position, events, aside, rows, diff, elapsedMs, error } = report;
  const counted =
    rows === null
      ? ''
      : `, ${count(rows.rebuilt, 'row')}${rows.live === null ? '' : ` (before: ${groupDigits(rows.live)})`}`;
  const compared =
    diff === null ? '' : `, ${count(diff.differences, 'difference')} at position ${groupDigits(diff.position)}`;
  const left = aside === 0 ? '' : `, ${groupDigits(aside)} parked or skipped`;
  const work = `${count(events, 'event')} up to position ${groupDigits(position)}${left}${counted}${compared}, in ${formatDuration(elapsedMs)}`;
  if (outcome === 'interrupted') return `${projection}: interrupted at position ${groupDigits(position)}`;
  if (outcome === 'failed' && error?.code === 'E_CHECK_FAILED')
    return `${projection}: not swapped: version ${toVersion} did not pass its check at position ${groupDigits(position)}`;
  if (outcome === 'failed')
    return `${projection}: ${rebuild === null ? 'not started' : `failed at position ${groupDigits(position)}`}`;
  return `${projection}: version ${toVersion} is ${outcome === 'ready' ? 'ready' : 'live'}, ${work}`;
}

/** Returns how long each step took; null when nothing was done. */
export function describeSteps({ projection, steps }: RebuildReport): string | null {
  if (steps.length === 0) return null;
  return `${projection}: ${steps.map(({ step, ms }) => `${step} ${formatDuration(ms)}`).join(', ')}`;
}

/** Returns the command that may follow; null when there is none. */
export function describeNextStep(report: RebuildReport): string | null {
  const { projection, rebuild, outcome, keepOldUntil, oldPosition, error } = report;
  switch (outcome) {
    case 'ready':
      return `swap it in with: evstore swap ${projection}`;
    case 'swapped':
      if (oldPosition === null) return describeNoWayBack(projection);
      return keepOldUntil === null ? null : describeWayBack(projection, keepOldUntil);
    default:
      // The error of a check names the commands itself.
      if (rebuild === null || error?.code === 'E_CHECK_FAILED') return null;
      return `the live table of ${projection} is unchanged; resume: evstore rebuild ${projection} --resume, or drop the rebuild: evstore abort ${projection}`;
  }
}

export function describeNoWayBack(projection: string): string {
  return `${projection} cannot be rolled back: its parts were at different positions at the swap`;
}

/** `rebuild a`, `rebuild a, b, c and 9 more`. */
export function describeProgress({ projections }: Pick<RebuildProgress, 'projections'>): string {
  const shown = projections.slice(0, 3).join(', ');
  return `rebuild ${shown}${projections.length > 3 ? ` and ${projections.length - 3} more` : ''}`;
}

/** Returns the report as programs get it. */
export function toReportJson(report: RebuildReport): unknown {
  return { ...report, error: toErrorJson(report.error) };
}

export function toErrorJson(error: RebuildReport['error']): unknown {
  return error === null ? null : { code: error.code, message: error.message, next: error.next ?? null };
}

/** Returns Markdown for the summary of a CI run. */
export function summariseReports(reports: readonly RebuildReport[]): string {
  return renderMarkdownTable('evstore rebuild', reports, [
    { heading: 'Projection', text: ({ projection }) => projection },
    { heading: 'Outcome', text: ({ outcome }) => outcome },
    { heading: 'Version', text: ({ fromVersion, toVersion }) => `${fromVersion ?? 'none'} → ${toVersion}` },
    { heading: 'Events', align: 'right', text: ({ events }) => String(events) },
    { heading: 'Rows before', align: 'right', text: ({ rows }) => String(rows?.live ?? '') },
    { heading: 'Rows after', align: 'right', text: ({ rows }) => String(rows?.rebuilt ?? '') },
    { heading: 'Time', align: 'right', text: ({ elapsedMs }) => formatDuration(elapsedMs) },
    {
      heading: 'Remark',
      text: ({ error, outcome }) =>
        (error === null ? '' : `${error.message} (${error.code})`) ||
        (outcome === 'interrupted' ? 'can be resumed' : ''),
    },
  ]);
}

/** Lists the first of many. */
function listSome(types: readonly string[]): string {
  const shown = types.length > 6 ? 5 : types.length;
  const more = types.length - shown;
  return `${types.slice(0, shown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function describeResumed({ resumes, target }: RebuildPlanned): readonly string[] {
  if (resumes === null) return [];
  const { rebuild, state, position } = resumes;
  const share = target === 0 ? 100 : Math.min(100, Math.floor((position / target) * 100));
  const done = { planned: 'its tables are not created yet', ready: 'its indexes are built', filling: '' }[
    state as string
  ];
  return [
    `  resuming rebuild ${rebuild} at position ${groupDigits(position)} of ${target}: ${share} % is kept${done ? `; ${done}` : ''}`,
  ];
}

function describeVersions(from: number | null, to: number): string {
  if (from === null) return `version ${to}, new`;
  return from === to ? `version ${to} again` : `version ${from} → ${to}`;
}
