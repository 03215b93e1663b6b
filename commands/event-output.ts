/** Events on stdout, in the form the flags ask for. */
import type { RecordedEvent } from '../src/domain/event.js';
import { renderEvent } from '../src/output/event-text.js';
import { renderEventLine } from '../src/output/json-line.js';
import { renderTsvLine } from '../src/output/tsv.js';
import { sanitiseJson } from '../src/terminal/sanitise.js';
import type { Flags } from './command.js';
import type { Context } from './context.js';

export interface EventWriter {
  /** Resolves when more may be written. */
  write(events: readonly RecordedEvent[]): Promise<void>;
}

const headings = ['globalPosition', 'streamId', 'version', 'type', 'createdAt', 'id', 'data', 'metadata'];

export function createEventWriter(flags: Flags, context: Context): EventWriter {
  const render = chooseRenderer(flags, context);
  let head = isTsv(flags, context) ? renderTsvLine(headings) : '';
  return {
    write: async (events) => {
      await context.io.stdout.write(head + events.map(render).join(''));
      head = '';
    },
  };
}

function chooseRenderer(flags: Flags, context: Context): (event: RecordedEvent) => string {
  if (context.quiet) return ({ id }) => `${id}\n`;
  if (flags.output === 'data') return ({ data }) => `${sanitiseJson(data)}\n`;
  if (isTsv(flags, context)) {
    return (event) =>
      renderTsvLine([
        event.globalPosition,
        event.streamId,
        event.version,
        event.type,
        event.createdAt,
        event.id,
        sanitiseJson(event.data),
        sanitiseJson(event.metadata),
      ]);
  }
  if (context.format({ people: 'table', pipe: 'ndjson' }) !== 'table') return (event) => `${renderEventLine(event)}\n`;
  return (event) => renderEvent(event, { ...context.view, now: context.io.now() });
}

function isTsv(flags: Flags, context: Context): boolean {
  return !context.quiet && flags.output !== 'data' && context.format({ people: 'table', pipe: 'ndjson' }) === 'tsv';
}
