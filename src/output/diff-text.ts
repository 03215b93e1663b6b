/** Differences between live and rebuilt rows, for people. */
import type { StoredRow, StoredValue } from '../domain/read-model.js';
import { count } from '../domain/words.js';
import type { DiffReport } from '../projection/compare/diff.js';
import type { GroupedChange } from '../projection/compare/group-changes.js';
import type { TableDiff } from '../projection/compare/table-diff.js';
import type { RepairReport } from '../projection/repair/repair.js';
import type { ChangedRow } from '../store/store.js';
import { sanitise } from '../terminal/sanitise.js';
import { renderMarkdownTable } from './markdown-table.js';
import { groupDigits } from './numbers.js';
import { layOutTable } from './table.js';
import { cutText } from './text-width.js';
import type { View } from './view.js';

/** Columns a value takes on the terminal, and characters shown before the first difference. */
const longestValue = 60;
const shownBefore = 10;

/** Ends with a line break. */
export function renderDiff(diff: DiffReport, view: View): string {
  const { projection, position, live, rebuilt, tables, differences, faults } = diff;
  const { theme } = view;
  const versions = `live version ${live.version}, rebuilt version ${rebuilt.version}`;
  const columns = describeColumns(tables);
  const rows = differences === 0 ? [] : [count(differences, 'difference')];
  const verdict =
    rows.length + columns.length === 0 ? theme.good('no differences') : theme.bad([...rows, ...columns].join(', '));
  return [
    `${theme.strong(sanitise(projection))} at position ${groupDigits(position)}: ${versions}\n\n`,
    ...renderCounts(tables, view),
    ...tables.map((table) => renderTableDiff(table, view)),
    ...(faults.length === 0 ? [] : [`\n${theme.bad('validate')} found:\n`]),
    ...faults.map((fault) => `  ${sanitise(JSON.stringify(fault))}\n`),
    `\n${verdict}\n`,
  ].join('');
}

function renderCounts(tables: readonly TableDiff[], view: View): readonly string[] {
  const { text, left } = layOutTable(
    tables,
    [
      { heading: 'table', text: ({ table }) => table },
      { heading: 'live', text: (table) => groupDigits(table.live), align: 'right' },
      { heading: 'rebuilt', text: (table) => groupDigits(table.rebuilt), align: 'right' },
      { heading: 'added', text: ({ added }) => groupDigits(added), align: 'right', rank: 'high' },
      { heading: 'removed', text: ({ removed }) => groupDigits(removed), align: 'right', rank: 'high' },
      { heading: 'changed', text: ({ changed }) => groupDigits(changed), align: 'right', rank: 'high' },
    ],
    view,
  );
  return left.length === 0
    ? [text]
    : [text, view.theme.faint(`not shown: ${left.join(', ')} (wider terminal, or -o json)`), '\n'];
}

/** `1 column added`, `2 columns removed`; none when both tables have the same. */
function describeColumns(tables: readonly TableDiff[]): readonly string[] {
  const added = tables.flatMap(({ onlyRebuilt }) => onlyRebuilt).length;
  const removed = tables.flatMap(({ onlyLive }) => onlyLive).length;
  return [
    ...(added === 0 ? [] : [`${count(added, 'column')} added`]),
    ...(removed === 0 ? [] : [`${count(removed, 'column')} removed`]),
  ];
}

/** Returns Markdown for the summary of a CI run. */
export function summariseDiff({ projection, position, tables }: DiffReport): string {
  return renderMarkdownTable(`evstore diff ${projection} at position ${groupDigits(position)}`, tables, [
    { heading: 'Table', text: ({ table }) => table },
    { heading: 'Live', align: 'right', text: ({ live }) => groupDigits(live) },
    { heading: 'Rebuilt', align: 'right', text: ({ rebuilt }) => groupDigits(rebuilt) },
    { heading: 'Added', align: 'right', text: ({ added }) => groupDigits(added) },
    { heading: 'Removed', align: 'right', text: ({ removed }) => groupDigits(removed) },
    { heading: 'Changed', align: 'right', text: ({ changed }) => groupDigits(changed) },
  ]);
}

/** Ends with a line break. */
export function renderRepair(report: RepairReport, view: View): string {
  const { projection, dryRun, position, keys, events, rows } = report;
  const { theme } = view;
  const written = rows.added + rows.removed + rows.changed;
  const looked = `${count(events, 'event')} replayed for ${count(keys, 'row')}, up to position ${groupDigits(position)}`;
  const done = dryRun ? 'would be written' : 'written';
  const what = `${groupDigits(rows.added)} added, ${groupDigits(rows.removed)} removed, ${groupDigits(rows.changed)} changed`;
  const verdict = written === 0 ? theme.good('no row was wrong') : `${count(written, 'row')} ${done}: ${what}`;
  return `${theme.strong(sanitise(projection))}: ${looked}\n${renderTableDiff(rows, view)}\n${verdict}\n`;
}

function renderTableDiff(diff: TableDiff, view: View): string {
  const { theme } = view;
  const { table, columns, changes, onlyLive, onlyRebuilt, samples } = diff;
  const differing = Object.entries(columns).sort(([, a], [, b]) => b - a);
  const rowsOf = (rows: number) => `${groupDigits(rows)} ${rows === 1 ? 'row' : 'rows'}`;
  const notes = [
    ...differing.flatMap(([name, rows]) => [
      `  ${sanitise(name)} differs in ${rowsOf(rows)}`,
      ...changes.filter(({ column }) => column === name).map((change) => spellGroup(change, view)),
    ]),
    ...onlyLive.map((name) => `  ${sanitise(name)} dropped  ${rowsOf(diff.live)}`),
    ...onlyRebuilt.map((name) => `  ${sanitise(name)} added  ${rowsOf(diff.rebuilt)}`),
  ];
  // What a group tells is not told again row by row.
  const single = samples.changed.filter((row) => !isGrouped(row, changes));
  const grouped = samples.changed.length - single.length;
  const lines = [
    ...samples.removed.map((key) => theme.bad(`- ${spellKey(key, view)}`)),
    ...more(diff.removed - samples.removed.length, '-', 'removed'),
    ...samples.added.map((key) => theme.good(`+ ${spellKey(key, view)}`)),
    ...more(diff.added - samples.added.length, '+', 'added'),
    ...single.flatMap((row) => spellChanged(row, view)),
    ...more(
      diff.changed - samples.changed.length + grouped,
      '~',
      changes.length === 0 ? 'changed' : 'changed, with those of the groups above',
    ),
  ];
  if (notes.length + lines.length === 0) return '';
  return `\n${[theme.strong(sanitise(table)), ...notes, ...lines].join('\n')}\n`;

  function more(rows: number, sign: string, what: string): readonly string[] {
    return rows > 0
      ? [theme.faint(`${sign} … ${groupDigits(rows)} more ${what}`.replace('…', view.unicode ? '…' : '...'))]
      : [];
  }
}

/** `status "placed" → "PLACED"  1,375 rows  e.g. Order-17208, …` */
function spellGroup({ column, live, rebuilt, rows, example }: GroupedChange, view: View): string {
  const { theme, unicode } = view;
  const values = Object.values(example);
  const key = values.length === 1 ? sanitise(String(values[0])) : spellKey(example, view);
  const change = `${theme.bad(spell(live, view))} ${unicode ? '→' : '->'} ${theme.good(spell(rebuilt, view))}`;
  const such = theme.faint(`e.g. ${cutText(key, longestValue, unicode)}, ${unicode ? '…' : '...'}`);
  return `    ${sanitise(column)} ${change}  ${groupDigits(rows)} rows  ${such}`;
}

function isGrouped({ columns }: ChangedRow, changes: readonly GroupedChange[]): boolean {
  return Object.entries(columns).every(([name, { live, rebuilt }]) =>
    changes.some((each) => each.column === name && each.live === live && each.rebuilt === rebuilt),
  );
}

function spellChanged({ key, columns }: ChangedRow, view: View): readonly string[] {
  const { theme } = view;
  const values = Object.entries(columns).flatMap(([name, { live, rebuilt }]) => {
    const from = firstShown(live, rebuilt);
    return [
      theme.bad(`  - ${sanitise(name)}: ${spell(live, view, from)}`),
      theme.good(`  + ${sanitise(name)}: ${spell(rebuilt, view, from)}`),
    ];
  });
  return [theme.caution(`~ ${spellKey(key, view)}`), ...values];
}

export function spellKey(key: StoredRow, view: View): string {
  return Object.entries(key)
    .map(([name, value]) => `${sanitise(name)}=${spell(value, view)}`)
    .join(' ');
}

/** Returns where to begin showing two long texts, so that their first difference is seen. */
export function firstShown(live: StoredValue, rebuilt: StoredValue): number {
  if (typeof live !== 'string' || typeof rebuilt !== 'string') return 0;
  let same = 0;
  while (same < live.length && live[same] === rebuilt[same]) same += 1;
  return same < longestValue / 2 ? 0 : same - shownBefore;
}

/** Quotes text, so that '1' differs from 1 and a trailing space is seen. */
export function spell(value: StoredValue, { unicode }: View, from = 0): string {
  // More than is shown, but never a whole document.
  const part = typeof value === 'string' ? value.slice(from, from + 2 * longestValue) : value;
  const text = typeof part === 'string' ? JSON.stringify(part) : String(part);
  const before = from === 0 ? '' : unicode ? '…' : '...';
  return cutText(before + sanitise(text), longestValue, unicode);
}
