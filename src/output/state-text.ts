/** Rows of a projection as of a moment, and how they changed, for people. */

import type { StoredRow } from '../domain/read-model.js';
import { count } from '../domain/words.js';
import type { StateMoment } from '../query/moment.js';
import type { HistoryEntry, RowChange, State, StateDiff, StateHistory } from '../query/state.js';
import { sanitise } from '../terminal/sanitise.js';
import { firstShown, spell, spellKey } from './diff-text.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { cutText, measureText, padText } from './text-width.js';
import type { View } from './view.js';

/** Returns text with a line break at the end. */
export function renderState(state: State, view: View): string {
  const { rows } = state;
  const body =
    rows.length === 0 ? ['', view.theme.faint('no row')] : rows.flatMap((row) => ['', ...renderRow(row, view)]);
  return `${[renderHead(state, `at ${describe(state.at, view)}`, view), ...body].join('\n')}\n`;
}

/** Returns text with a line break at the end. */
export function renderHistory({ history, ...told }: StateHistory, view: View): string {
  const omitted =
    told.omitted === 0 ? [] : ['', view.theme.faint(`${count(told.omitted, 'earlier entry', 'earlier entries')}`)];
  const lines = history.flatMap((entry) => ['', ...renderEntry(entry, told.stream, view)]);
  const none = history.length === 0 ? ['', view.theme.faint('no event changed a row')] : [];
  return `${[renderHead(told, `up to ${describe(told.at, view)}`, view), ...omitted, ...lines, ...none].join('\n')}\n`;
}

/** Returns text with a line break at the end. */
export function renderStateDiff(diff: StateDiff, view: View): string {
  const moments = `from ${describe(diff.from, view)} to ${describe(diff.to, view)}`;
  const lines = diff.rows.flatMap((row) => ['', ...renderChange(row, view)]);
  const none = diff.rows.length === 0 ? ['', view.theme.faint('no row')] : [];
  return `${[renderHead(diff, moments, view), ...lines, ...none].join('\n')}\n`;
}

function renderHead(
  { projection, stream }: { readonly projection: string; readonly stream: string },
  moment: string,
  { theme }: View,
): string {
  return `${theme.strong(sanitise(projection))} of ${theme.hashed(sanitise(stream), stream)} ${moment}`;
}

/** `version 3, position 1042, 2 h ago`: those of the last event of the stream, whose time it is. */
function describe({ version, lastPosition: position, time }: StateMoment, view: View): string {
  const place = version === 0 ? 'the beginning' : `version ${version}`;
  return [place, `position ${groupDigits(position)}`, ...(time === null ? [] : [showTime(time, view, 'local')])].join(
    ', ',
  );
}

/** One line a column, with its name; and one that says so where a value had no room. */
export function renderRow(row: StoredRow, view: View): readonly string[] {
  const names = Object.keys(row).map(sanitise);
  const width = Math.max(...names.map(measureText));
  const room = Math.max(20, view.width - width - 4);
  const cut: string[] = [];
  const lines = Object.values(row).map((value, at) => {
    const name = names[at] ?? '';
    // A grapheme has some twenty units at most: what is behind them cannot be shown.
    const text = sanitise(value === null ? '-' : String(value).slice(0, room * 20));
    const shown = cutText(text, room, view.unicode);
    if (shown !== text) cut.push(name);
    return `  ${view.theme.faint(padText(name, width))}  ${shown}`;
  });
  const told = `cut: ${cut.join(', ')} (-o json shows all)`;
  return cut.length === 0 ? lines : [...lines, `  ${view.theme.faint(cutText(told, view.width - 2, view.unicode))}`];
}

function renderEntry(entry: HistoryEntry, stream: string, view: View): readonly string[] {
  const { theme } = view;
  const place = entry.stream === stream ? `version ${entry.version}` : `${sanitise(entry.stream)}@${entry.version}`;
  const head = [
    theme.hashed(place, entry.stream),
    theme.kind(sanitise(entry.type)),
    theme.faint(showTime(entry.createdAt, view, 'local')),
    theme.faint(`#${groupDigits(entry.position)}`),
  ];
  return [head.join('  '), ...renderChange(entry, view).map((line) => `  ${line}`)];
}

/** As `diff` shows them: the key, then each column that changed, before and after. */
function renderChange({ key, kind, changes }: RowChange, view: View): readonly string[] {
  const { theme } = view;
  if (kind === 'same') return [theme.faint(`= ${spellKey(key, view)}`)];
  if (kind === 'removed') return [theme.bad(`- ${spellKey(key, view)}`)];
  const isNew = kind === 'added';
  const lines = Object.entries(changes).flatMap(([name, { before, after }]) => {
    const from = isNew ? 0 : firstShown(before, after);
    return [
      ...(isNew ? [] : [theme.bad(`  - ${sanitise(name)}: ${spell(before, view, from)}`)]),
      theme.good(`  + ${sanitise(name)}: ${spell(after, view, from)}`),
    ];
  });
  return [isNew ? theme.good(`+ ${spellKey(key, view)}`) : theme.caution(`~ ${spellKey(key, view)}`), ...lines];
}
