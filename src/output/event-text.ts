/** Renders a whole event for people: place and type on one line, its data and metadata below. */

import type { RecordedEvent } from '../domain/event.js';
import { sanitiseJson } from '../domain/safe-json.js';
import { sanitise } from '../terminal/sanitise.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { fillLines } from './text-width.js';
import type { View } from './view.js';

const indent = '    ';

/** Returns text with a line break at the end. */
export function renderEvent(event: RecordedEvent, view: View): string {
  const { theme } = view;
  const head = [
    theme.faint(`#${groupDigits(event.globalPosition)}`),
    theme.hashed(`${sanitise(event.streamId)}@${event.version}`, event.streamId),
    theme.strong(sanitise(event.type)),
    theme.faint(showTime(event.createdAt, view, 'local')),
    theme.faint(event.id),
  ];
  const metadata = sanitiseJson(event.metadata);
  const lines = [...fillLines(head, view.width, indent, '  '), indent + sanitiseJson(event.data)];
  if (!/^\s*\{\s*\}\s*$/.test(metadata)) lines.push(indent + theme.faint(metadata));
  return `${lines.join('\n')}\n`;
}
