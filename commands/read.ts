/** `evstore read`: one stream, or the whole log. */

import { type AskedNames, describeUnknownNames, typesIn } from '../src/query/meant.js';
import type { Store } from '../src/store/store.js';
import type { Command, Context, Flags } from './options/command.js';
import {
  assertStreamExists,
  type EventRange,
  isNarrowed,
  parseRange,
  rangeOptions,
  readRange,
} from './options/event-range.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { outputOption, timesOption } from './options/shared-options.js';
import { fieldsOption } from './support/event-fields.js';
import { createEventWriter, type EventWriter } from './support/event-output.js';
import { noteScan } from './support/note-scan.js';

/** What fits a terminal's memory and a person's patience. */
const terminalLimit = 100;

export const command: Command = {
  usage: 'read [stream]',
  writes: 'nothing',
  examples: [
    { line: 'evstore read Order-42', purpose: 'read a stream, oldest event first' },
    {
      line: 'evstore read --category Order --type OrderPaid --since 15m',
      purpose: 'read the orders paid in the last 15 minutes',
    },
    { line: 'evstore read Order-42 --backwards -n 1 -o data', purpose: 'print the payload of the last event' },
    { line: 'evstore read --after 1000 | jq .type', purpose: 'read the log from a position, as NDJSON' },
  ],
  options: [
    ...rangeOptions(),
    option(
      '-n, --limit <count>',
      'print at most this many events (default: 100 on a terminal, all in a pipe)',
      wholeNumber(1),
    ),
    option('--backwards', 'read the newest event first'),
    fieldsOption(),
    timesOption('local'),
    outputOption('data', 'long'),
  ],
  run: ([streamId], flags, context) => read(streamId, flags, context),
};

async function read(streamId: string | undefined, flags: Flags, context: Context): Promise<number> {
  const range = parseRange(streamId, flags, context.io.now());
  const store = await context.openStore();
  await noteScan(context, store, range);
  await noteZone(flags, context);
  const writer = await createEventWriter(flags, context);
  const isShortened = range.limit === undefined && context.io.stdout.isTTY;
  let count = 0;
  for await (const events of isShortened ? showFirst(store, range, writer) : writer.copy(store, range)) {
    count += events;
    if (context.io.signal.aborted) return 0;
  }
  if (isShortened && count > terminalLimit) {
    await context.io.stdout.flush();
    await context.note(`the first ${terminalLimit}; -n N shows more, a pipe shows all`);
  }
  for (const place of count > 0 ? writer.missing() : []) await context.note(`no event that was printed has ${place}`);
  if (count > 0) return 0;
  if (streamId !== undefined) await assertStreamExists(store, streamId);
  for (const line of await describeUnknownNames(store, namesIn(range.filter))) await context.note(line);
  await context.note(isNarrowed(range) ? 'no event matched' : 'the store has no events yet');
  return streamId !== undefined || isNarrowed(range) ? 6 : 0;
}

/** A day is one of UTC, and people see the times of the local clock. */
async function noteZone({ on }: Flags, { io, view, note }: Context): Promise<void> {
  const isLocal = io.stdout.isTTY && (view.times ?? 'local') === 'local';
  if (typeof on !== 'string' || !isLocal || new Date(on).getTimezoneOffset() === 0) return;
  await note(`${on} is the day in UTC, and the times are those of this machine; --times iso shows UTC`);
}

function namesIn({ types = [], category, categories = [], where }: EventRange['filter']): AskedNames {
  return {
    types: [...types, ...(where === undefined ? [] : typesIn(where))],
    categories: [...categories, ...(category === undefined ? [] : [category])],
  };
}

/** One more than is shown tells whether there is more. */
async function* showFirst(store: Store, range: EventRange, writer: EventWriter): AsyncGenerator<number> {
  let count = 0;
  for await (const { events } of readRange(store, { ...range, limit: terminalLimit + 1 })) {
    await writer.write(events.slice(0, terminalLimit - count));
    count += events.length;
    yield events.length;
  }
}
