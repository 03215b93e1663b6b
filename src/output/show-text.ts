/** One event in full, for people and for programs. */
import type { JsonText, RecordedEvent } from '../domain/event.js';
import { renderEventLine } from '../domain/event-lines.js';
import { sanitiseJson } from '../domain/safe-json.js';
import type { Handling, ShownEvent } from '../query/event.js';
import type { Upcast } from '../query/upcast.js';
import { sanitise } from '../terminal/sanitise.js';
import { glyphOf } from './glyphs.js';
import { layOutJson } from './json-layout.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { cutText } from './text-width.js';
import { formatGap, renderPlace } from './trace-text.js';
import { renderTsvLine } from './tsv.js';
import type { View } from './view.js';

const indent = '  ';

export interface ShowOptions {
  /** Leave data and metadata on one line, as they were written, and whole. */
  readonly raw: boolean;
  /** Undefined when it was not asked for. */
  readonly upcasts: readonly Upcast[] | undefined;
}

/** Returns text with a line break at the end. */
export function renderShown(shown: ShownEvent, { raw, upcasts = [] }: ShowOptions, view: View): string {
  const { event, stream, causedBy, missingCause, effects, projections } = shown;
  const { theme } = view;
  const lay = (json: JsonText) => {
    if (raw) return [indent + sanitiseJson(json)];
    const { lines, cut } = layOutJson(json, { ...view, width: view.width - indent.length });
    const told = `${cut === 1 ? '1 line is' : `${groupDigits(cut)} lines are`} cut, with what is nested deepest; --raw shows all`;
    return [...lines.map((line) => indent + line), ...(cut === 0 ? [] : [theme.caution(indent + told)])];
  };
  const place = (other: RecordedEvent, time: string) => indent + renderPlace(other, time, view, indent.length);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [theme.faint(title), ...lines];
  const type = event.streamType === '' ? '' : ` of type ${sanitise(event.streamType)}`;
  const lines = [
    renderPlace(event, showTime(event.createdAt, view, 'local'), view, 0),
    theme.faint(cutText(`${indent}id ${event.id}`, view.width, view.unicode)),
    ...section(`data, schema version ${event.schemaVersion}`, lay(event.data)),
    ...upcasts.flatMap((upcast) => [
      theme.faint(cutText(describeUpcast(upcast), view.width, view.unicode)),
      ...(upcast.data === null ? [theme.caution(indent + sanitise(upcast.error ?? ''))] : lay(upcast.data)),
    ]),
    ...section('metadata', /^\s*\{\s*\}\s*$/.test(event.metadata) ? [] : lay(event.metadata)),
    ...section('stream', [
      cutText(
        `${indent}${sanitise(event.streamId)}${type}: version ${groupDigits(event.version)} of ${groupDigits(stream.events)}`,
        view.width,
        view.unicode,
      ),
    ]),
    ...section('caused by', [
      ...(causedBy === null ? [] : [place(causedBy, formatGap(event, causedBy))]),
      ...(missingCause === null
        ? []
        : [
            theme.caution(
              cutText(
                `${indent}${sanitise(missingCause)}, which is not an event of this store`,
                view.width,
                view.unicode,
              ),
            ),
          ]),
    ]),
    ...section(
      'caused',
      effects.map((effect) => place(effect, formatGap(event, effect))),
    ),
    ...section(
      'projections',
      projections.map((each) => describeHandling(each, view)),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function describeUpcast({ projections, schemaVersion }: Upcast): string {
  const version = schemaVersion === null ? '' : `, schema version ${schemaVersion}`;
  return `data for ${projections.map(sanitise).join(', ')}${version}`;
}

function describeHandling({ name, position, passed, handles, parked }: Handling, view: View): string {
  const mark = parked !== null ? 'caution' : passed ? 'active' : 'idle';
  const state = parked ?? (passed ? 'passed' : 'not yet');
  const unknown = handles === null ? '; unknown whether it handles this event' : '';
  const text = `${sanitise(name)}  ${state}, at ${groupDigits(position)}${unknown}`;
  return `${indent}${glyphOf(mark, view)} ${cutText(text, view.width - 4, view.unicode)}`;
}

/** Passes data and metadata through as text. */
export function renderShownJson(shown: ShownEvent, { upcasts }: Pick<ShowOptions, 'upcasts'>): string {
  const { event, stream, causedBy, missingCause, effects, truncated, searched, projections } = shown;
  const { byIndex, after, to } = searched;
  const upcast = upcasts?.map(({ data, ...facts }) => {
    return `${JSON.stringify(facts).slice(0, -1)},"data":${data ?? 'null'}}`;
  });
  const members = [
    `"event":${renderEventLine(event)}`,
    ...(upcast === undefined ? [] : [`"upcast":[${upcast.join()}]`]),
    `"stream":${JSON.stringify(stream)}`,
    `"causedBy":${causedBy === null ? 'null' : renderEventLine(causedBy)}`,
    `"missingCause":${JSON.stringify(missingCause)}`,
    `"effects":[${effects.map(renderEventLine).join()}]`,
    `"truncated":${truncated}`,
    `"searched":${JSON.stringify({ byIndex, after, to })}`,
    `"projections":${JSON.stringify(projections)}`,
  ];
  return `${sanitiseJson(`{${members.join()}}`)}\n`;
}

const headings = [
  ...['globalPosition', 'streamId', 'version', 'type', 'createdAt', 'id', 'data', 'metadata'],
  ...['causedBy', 'effects', 'truncated'],
];

/** One line; effects by their positions. */
export function renderShownTsv({ event, causedBy, effects, truncated }: ShownEvent, hasHeadings: boolean): string {
  const { globalPosition, streamId, version, type, createdAt, id, data, metadata } = event;
  const line = renderTsvLine([
    ...[globalPosition, streamId, version, type, createdAt, id, sanitiseJson(data), sanitiseJson(metadata)],
    ...[causedBy?.globalPosition ?? null, effects.map((each) => each.globalPosition).join(), truncated],
  ]);
  return hasHeadings ? renderTsvLine(headings) + line : line;
}
