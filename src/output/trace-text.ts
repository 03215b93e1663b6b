/** What caused what, as a tree for people, JSON, TSV and a diagram. */

import { formatDuration } from '../domain/duration.js';
import type { RecordedEvent } from '../domain/event.js';
import { renderEventLine } from '../domain/event-lines.js';
import { relationOf } from '../domain/relation.js';
import { sanitiseJson } from '../domain/safe-json.js';
import { type CausationNode, type CausationRow, walkTree } from '../query/causation-tree.js';
import type { Trace } from '../query/trace.js';
import { sanitise } from '../terminal/sanitise.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { cutText, measureText } from './text-width.js';
import { renderTsvLine } from './tsv.js';
import type { View } from './view.js';

/** Of the line, that the lines of the tree may take; deeper levels are counted instead. */
const treeShare = 0.3;
const levelWidth = 3;

/** `+3 ms`; `-3 ms` when the clock of the effect was behind. */
export function formatGap(cause: RecordedEvent, effect: RecordedEvent): string {
  const gapMs = Date.parse(effect.createdAt) - Date.parse(cause.createdAt);
  return `${gapMs < 0 ? '-' : '+'}${formatDuration(Math.abs(gapMs))}`;
}

/** Yields lines with their line breaks. */
export function* renderTrace({ roots, isFull }: Pick<Trace, 'roots' | 'isFull'>, view: View): Generator<string> {
  for (const row of walkTree(roots)) {
    const { event, missingCause, isCircular } = row.node;
    const prefix = drawLines(row, view);
    const time = row.cause === undefined ? showTime(event.createdAt, view, 'local') : formatGap(row.cause, event);
    yield `${view.theme.faint(prefix)}${renderPlace(event, time, view, measureText(prefix))}\n`;
    const below = [];
    if (missingCause !== null) {
      below.push(
        isFull
          ? `caused by ${missingCause}, which is not shown`
          : `caused by ${missingCause}, which is not an event of this store`,
      );
    }
    if (isCircular)
      below.push(`caused by ${relationOf(event).causationId}, one of its own effects: the ids go in a circle`);
    for (const line of below) yield `${view.theme.caution(cutText(`  ${sanitise(line)}`, view.width, view.unicode))}\n`;
  }
}

/** The lines before an event: `│  ├─ `. A tree that is too deep shows how deep instead of its first levels. */
function drawLines({ depth, level }: CausationRow, { width, unicode }: View): string {
  if (level === undefined) return '';
  const [bar, fork, end] = unicode ? ['│  ', '├─ ', '└─ '] : ['|  ', '|- ', '`- '];
  const most = Math.max(1, Math.floor((width * treeShare) / levelWidth) - 1);
  let drawn = level.isFollowed ? fork : end;
  let shown = 1;
  for (let above = level.above; above !== undefined && shown < most; above = above.above) {
    drawn = (above.isFollowed ? bar : '   ') + drawn;
    shown += 1;
  }
  return shown < depth ? `${depth - shown}${unicode ? '…' : '..'} ${drawn}` : drawn;
}

/** `+3 ms  Payment-7 2 PaymentReceived  #1,042`, as much of it as fits. @param used cells of the line */
export function renderPlace(event: RecordedEvent, time: string, view: View, used: number): string {
  const { theme, unicode, width } = view;
  const [stream, version, type] = [sanitise(event.streamId), String(event.version), sanitise(event.type)];
  const position = `  #${groupDigits(event.globalPosition)}`;
  const fixed = used + measureText(time) + 2 + version.length + 2;
  const names = measureText(stream) + measureText(type);
  const hasPosition = fixed + names + position.length <= width;
  const room = Math.max(2, width - fixed - (hasPosition ? position.length : 0));
  const typeRoom = names <= room ? measureText(type) : Math.max(Math.floor(room / 2), room - measureText(stream));
  const shownType = cutText(type, typeRoom, unicode);
  const shownStream = cutText(stream, Math.max(1, room - measureText(shownType)), unicode);
  const place = `${theme.hashed(shownStream, event.streamId)} ${version} ${theme.strong(shownType)}`;
  return `${theme.faint(time)}  ${place}${hasPosition ? theme.faint(position) : ''}`;
}

/** `{"roots":[{"event":…,"children":[…]}],"events":…,"truncated":…}`, with data and metadata as they are stored. */
export function* renderTraceJson({ roots, events, truncated, searched }: Trace): Generator<string> {
  const { byIndex, after, to } = searched;
  let before = -1;
  yield '{"roots":[';
  for (const { node, depth } of walkTree(roots)) {
    yield depth > before ? '' : `${']}'.repeat(before - depth + 1)},`;
    yield `{"event":${renderEventLine(node.event)},${describeRoot(node)}"children":[`;
    before = depth;
  }
  yield `${']}'.repeat(before + 1)}],"events":${events},"truncated":${truncated},`;
  yield `"searched":${JSON.stringify({ byIndex, after, to })}}\n`;
}

function describeRoot({ missingCause, isCircular }: CausationNode): string {
  const members = { ...(missingCause !== null && { missingCause }), ...(isCircular && { isCircular }) };
  const text = sanitiseJson(JSON.stringify(members)).slice(1, -1);
  return text === '' ? '' : `${text},`;
}

const headings = ['depth', 'gapMs', 'globalPosition', 'streamId', 'version', 'type', 'createdAt', 'id', 'causationId'];

/** In the order of the tree. */
export function* renderTraceTsv(roots: readonly CausationNode[]): Generator<string> {
  yield renderTsvLine(headings);
  for (const { node, cause, depth } of walkTree(roots)) {
    const { globalPosition, streamId, version, type, createdAt, id } = node.event;
    const gapMs = cause === undefined ? null : Date.parse(createdAt) - Date.parse(cause.createdAt);
    const { causationId = null } = relationOf(node.event);
    yield renderTsvLine([depth, gapMs, globalPosition, streamId, version, type, createdAt, id, causationId]);
  }
}

/** A flowchart of Mermaid. */
export function* renderTraceMermaid(roots: readonly CausationNode[]): Generator<string> {
  yield 'flowchart TD\n';
  for (const { node, cause } of walkTree(roots)) {
    const { globalPosition, streamId, version, type } = node.event;
    const name = `e${globalPosition}`;
    yield `  ${name}["${escapeLabel(`${streamId} ${version}`)}<br/>${escapeLabel(type)}"]\n`;
    if (cause !== undefined) yield `  e${cause.globalPosition} -->|"${formatGap(cause, node.event)}"| ${name}\n`;
    if (node.missingCause === null) continue;
    yield `  m${globalPosition}(["${escapeLabel(node.missingCause)}"])\n  m${globalPosition} -.-> ${name}\n`;
  }
}

/** Everything that has a meaning there, in HTML or in Markdown, as an entity code of Mermaid. */
function escapeLabel(text: string): string {
  return sanitise(text).replace(/[^\p{L}\p{N} .,:_/@-]/gu, (character) => `#${character.codePointAt(0)};`);
}
