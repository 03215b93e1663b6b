/** Renders an event for people: place and type on one line, its data below. */

import type { RecordedEvent } from '../domain/event.js';
import { sanitiseJson } from '../domain/safe-json.js';
import { sanitise } from '../terminal/sanitise.js';
import { formatAgo } from './relative-time.js';
import type { View } from './view.js';

const indent = '    ';

/** Returns text with a line break at the end. */
export function renderEvent(event: RecordedEvent, { theme, now }: View): string {
  const head = [
    theme.faint(`#${event.globalPosition}`),
    theme.strong(`${sanitise(event.streamId)}@${event.version}`),
    theme.kind(sanitise(event.type)),
    theme.faint(formatAgo(event.createdAt, now)),
  ];
  const metadata = sanitiseJson(event.metadata);
  const lines = [head.join('  '), indent + sanitiseJson(event.data)];
  if (!/^\s*\{\s*\}\s*$/.test(metadata)) lines.push(indent + theme.faint(metadata));
  return `${lines.join('\n')}\n`;
}
