/** Events on stdout, in the form the flags ask for. */
import type { RecordedEvent } from '../src/domain/event.js';
import { renderEvent } from '../src/output/event-text.js';
import { renderEventLine } from '../src/output/json-line.js';
import { renderTsvLine } from '../src/output/tsv.js';
import type { Output } from '../src/terminal/io.js';
import { sanitiseJson } from '../src/terminal/sanitise.js';
import type { Flags } from './command.js';
import type { Context } from './context.js';

export interface EventWriter {
  /** Resolves when more may be written. */
  write(events: readonly RecordedEvent[]): Promise<void>;
}

const headings = ['globalPosition', 'streamId', 'version', 'type', 'createdAt', 'id', 'data', 'metadata'];

export interface EventTarget {
  /** Default: stdout, with text for people on a terminal. Anything else is written for programs. */
  readonly output?: Pick<Output, 'write'>;
}

export function createEventWriter(flags: Flags, context: Context, target: EventTarget = {}): EventWriter {
  const form = chooseForm(flags, context, target);
  const render = renderers(context)[form];
  const output = target.output ?? context.io.stdout;
  let head = form === 'tsv' ? renderTsvLine(headings) : '';
  return {
    write: async (events) => {
      await output.write(head + events.map(render).join(''));
      head = '';
    },
  };
}

type Form = 'ids' | 'data' | 'tsv' | 'lines' | 'text';

function chooseForm(flags: Flags, context: Context, { output }: EventTarget): Form {
  if (context.quiet && output === undefined) return 'ids';
  if (flags.output === 'data') return 'data';
  const format = context.format({ people: output === undefined ? 'table' : 'ndjson', pipe: 'ndjson' });
  if (format === 'tsv') return 'tsv';
  return format === 'table' ? 'text' : 'lines';
}

function renderers({ view, io }: Context): Readonly<Record<Form, (event: RecordedEvent) => string>> {
  return {
    ids: ({ id }) => `${id}\n`,
    data: ({ data }) => `${sanitiseJson(data)}\n`,
    lines: (event) => `${renderEventLine(event)}\n`,
    text: (event) => renderEvent(event, { ...view, now: io.now() }),
    tsv: ({ globalPosition, streamId, version, type, createdAt, id, data, metadata }) =>
      renderTsvLine([
        ...[globalPosition, streamId, version, type, createdAt, id],
        ...[sanitiseJson(data), sanitiseJson(metadata)],
      ]),
  };
}
