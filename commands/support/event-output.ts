/** Events on stdout, in the form the flags ask for. */

import type { RecordedEvent } from '../../src/domain/event.js';
import { renderEventLines } from '../../src/domain/event-lines.js';
import { sanitiseJson } from '../../src/domain/safe-json.js';
import { renderTsvLine } from '../../src/output/tsv.js';
import type { Store } from '../../src/store/store.js';
import type { Output } from '../../src/terminal/io.js';
import type { Context, Flags } from '../options/command.js';
import { type EventRange, readLineRange, readRange } from '../options/event-range.js';
import { createFieldRenderer } from './event-fields.js';

export interface EventWriter {
  /** Resolves when more may be written. */
  write(events: readonly RecordedEvent[]): Promise<void>;
  /** Writes what the range holds; yields after each batch how many events it had. */
  copy(store: Store, range: EventRange): AsyncIterable<number>;
  /** The places of `--fields` that no event had so far. */
  missing(): readonly string[];
}

const headings = ['globalPosition', 'streamId', 'version', 'type', 'createdAt', 'id', 'data', 'metadata'];

export interface EventTarget {
  /** Default: stdout, with text for people on a terminal. Anything else is written for programs. */
  readonly output?: Pick<Output, 'write'>;
}

export async function createEventWriter(
  flags: Flags,
  context: Context,
  target: EventTarget = {},
): Promise<EventWriter> {
  const form = chooseForm(flags, context, target);
  const output = target.output ?? context.io.stdout;
  const fields = form === 'fields' ? createFieldRenderer(flags.fields as readonly string[], context) : undefined;
  const render = fields?.render ?? (await createRenderer(context, form as Exclude<Form, 'fields'>));
  let head = fields?.head ?? (form === 'tsv' ? renderTsvLine(headings) : '');
  const write = async (events: readonly RecordedEvent[]) => {
    const body = render(events);
    await output.write(typeof body === 'string' ? head + body : body, events.length);
    head = '';
  };
  return {
    write,
    missing: () => fields?.missing() ?? [],
    copy: async function* (store, range) {
      if (form === 'lines') {
        for await (const { lines, events } of readLineRange(store, range)) {
          await output.write(lines, events);
          yield events;
        }
        return;
      }
      for await (const { events } of readRange(store, range)) {
        await write(events);
        yield events.length;
      }
    },
  };
}

type Form = 'ids' | 'data' | 'tsv' | 'lines' | 'short' | 'long' | 'fields';

function chooseForm(flags: Flags, context: Context, { output }: EventTarget): Form {
  if (context.quiet && output === undefined) return 'ids';
  if (flags.fields !== undefined) return 'fields';
  if (flags.output === 'data' || flags.output === 'long') return flags.output;
  const format = context.format({ people: output === undefined ? 'table' : 'ndjson', pipe: 'ndjson' });
  if (format === 'tsv') return 'tsv';
  return format === 'table' ? 'short' : 'lines';
}

type Renderer = (events: readonly RecordedEvent[]) => string | Uint8Array;

async function createRenderer({ view, io }: Context, form: Exclude<Form, 'fields'>): Promise<Renderer> {
  if (form === 'lines') return renderEventLines;
  // Measuring text is for terminals only, so a pipe does not load it.
  if (form === 'short') {
    const { createEventRows } = await import('../../src/output/event-rows.js');
    const renderRows = createEventRows(view);
    return (events) => renderRows(events, io.now());
  }
  if (form === 'long') {
    const { renderEvent } = await import('../../src/output/event-text.js');
    return (events) => {
      const now = io.now();
      return events.map((each) => renderEvent(each, { ...view, now })).join('');
    };
  }
  const each: Readonly<Record<Exclude<Form, 'lines' | 'short' | 'long' | 'fields'>, (event: RecordedEvent) => string>> =
    {
      ids: ({ id }) => `${id}\n`,
      data: ({ data }) => `${sanitiseJson(data)}\n`,
      tsv: ({ globalPosition, streamId, version, type, createdAt, id, data, metadata }) =>
        renderTsvLine([
          ...[globalPosition, streamId, version, type, createdAt, id],
          ...[sanitiseJson(data), sanitiseJson(metadata)],
        ]),
    };
  return (events) => events.map(each[form]).join('');
}
