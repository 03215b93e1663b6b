/** Rebuilds in words: what one would do, and what one did. */
import type { RebuildPlanned } from '../projection/plan-rebuild.js';
import type { RebuildReport } from '../projection/rebuild.js';
import { formatDuration } from './relative-time.js';

/** One line a fact. */
export function describePlan(plan: RebuildPlanned): readonly string[] {
  const { projection, action, fromVersion, toVersion, types, category, livePosition, from, target } = plan;
  const version = describeVersions(fromVersion, toVersion);
  const begun = { start: '', resume: `, resumed at position ${from}`, restart: ', begun anew' }[action];
  const matching = types === 'all' ? 'every event' : `${types.join(', ')}`;
  const live = livePosition === null ? 'no live table' : `the live table is at ${livePosition}`;
  return [
    `rebuild ${projection} (${version}${begun})`,
    `  reads ${matching}${category === null ? '' : ` of category ${category}`} up to position ${target}; ${live}`,
    ...plan.tables.map(({ table, exists, estimatedRows, indexes, carried }) => {
      if (!exists) return `  table ${table}: made new`;
      const rows = estimatedRows === null ? '' : `, about ${estimatedRows} rows`;
      const kept = carried.map(({ kind, name }) => `${kind} ${name}`).join(', ');
      return `  table ${table}: ${count(indexes.length, 'index', 'indexes')}${rows}${kept === '' ? '' : `; carried over: ${kept}`}`;
    }),
  ];
}

/** One line. */
export function describeReport(report: RebuildReport): string {
  const { projection, outcome, toVersion, position, events, rows, elapsedMs } = report;
  const counted =
    rows === null ? '' : `, ${count(rows.rebuilt, 'row')}${rows.live === null ? '' : ` (before: ${rows.live})`}`;
  const work = `${count(events, 'event')} up to position ${position}${counted}, in ${formatDuration(elapsedMs)}`;
  if (outcome === 'interrupted') return `${projection}: interrupted at position ${position}`;
  return `${projection}: version ${toVersion} is ${outcome === 'ready' ? 'ready' : 'live'}, ${work}`;
}

/** The command that may follow; null when there is none. */
export function describeNextStep({ projection, outcome, keepOldUntil }: RebuildReport): string | null {
  if (outcome === 'ready') return `swap it in with: evstore swap ${projection}`;
  if (outcome === 'interrupted' || keepOldUntil === null) return null;
  return `back with: evstore rollback ${projection} (until ${keepOldUntil})`;
}

function describeVersions(from: number | null, to: number): string {
  if (from === null) return `version ${to}, new`;
  return from === to ? `version ${to} again` : `version ${from} → ${to}`;
}

function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
