/** `evstore show`: single events, with what they are related to. */

import { isEvstoreError } from '../src/domain/errors.js';
import type { RecordedEvent } from '../src/domain/event.js';
import { groupDigits } from '../src/output/numbers.js';
import type { LoadedProjection } from '../src/projection/define/load.js';
import { findEvent, type ShownEvent, showEvent } from '../src/query/event.js';
import { type Upcast, upcastFor } from '../src/query/upcast.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { progressOption, projectionsOption, timesOption } from './options/shared-options.js';
import { selectCode } from './support/projection-code.js';
import { explainExtent, searchLog, searchOption } from './support/search.js';

export const command: Command = {
  usage: 'show <id...>',
  writes: 'nothing',
  examples: [
    { line: 'evstore show 1042', purpose: 'show the event at a global position' },
    {
      line: 'evstore show 01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e4f',
      purpose: 'show an event by its id: what caused it, what it caused, who has handled it',
    },
    { line: 'evstore show 1042 --upcast', purpose: 'also show the data as projections get it' },
    { line: "evstore show 1042 --json | jq '.effects[].id'", purpose: 'print the ids of what it caused' },
  ],
  options: [
    option('-n, --limit <count>', 'show at most this many effects (default: 100)', wholeNumber(1)),
    option('--upcast', 'also show the data after the upcasters of the projections, which executes their files'),
    option('--raw', 'show data and metadata on one line, as they were written'),
    searchOption(),
    projectionsOption(),
    timesOption('local'),
    progressOption(),
  ],
  run: (ids, flags, context) => show(ids, flags, context),
};

async function show(ids: readonly string[], flags: Flags, context: Context): Promise<number> {
  const store = await context.openStore();
  await store.schema.assertGuards();
  const code = flags.upcast === true ? await selectCode(context, flags, []) : undefined;
  const faults: unknown[] = [];
  let unseen: ShownEvent | undefined;
  for (const [index, id] of ids.entries()) {
    const event = await findEvent(store, id).catch((error: unknown) => {
      if (!isEvstoreError(error) || error.code !== 'E_NOT_FOUND') throw error;
      faults.push(error);
    });
    if (event === undefined) continue;
    const shown = await searchLog(context, 'show', flags, (options) => {
      return showEvent(store, event, { ...options, ...(flags.limit !== undefined && { limit: Number(flags.limit) }) });
    });
    if (shown.truncated) unseen ??= shown;
    await print(shown, { event, code, isFirst: index === 0 }, flags, context);
  }
  if (unseen !== undefined) await noteUnseen(unseen, context);
  const [first, ...others] = faults;
  for (const fault of others) if (isEvstoreError(fault)) await context.warn(fault.message);
  if (first !== undefined) throw first;
  return 0;
}

interface Place {
  readonly event: RecordedEvent;
  readonly code: readonly LoadedProjection[] | undefined;
  readonly isFirst: boolean;
}

async function print(
  shown: ShownEvent,
  { event, code, isFirst }: Place,
  flags: Flags,
  context: Context,
): Promise<void> {
  const { stdout } = context.io;
  const format = context.format({ people: 'table', pipe: 'ndjson' });
  if (context.quiet && !context.asJson) {
    await stdout.write(`${event.id}\n`);
    return;
  }
  const upcasts: readonly Upcast[] | undefined = code && upcastFor(event, code);
  const { renderShown, renderShownJson, renderShownTsv } = await import('../src/output/show-text.js');
  const options = { raw: flags.raw === true, upcasts };
  if (format === 'table') await stdout.write((isFirst ? '' : '\n') + renderShown(shown, options, context.view));
  else if (format === 'tsv') await stdout.write(renderShownTsv(shown, isFirst));
  else await stdout.write(renderShownJson(shown, options));
  if (upcasts?.length === 0) await context.note(`no projection in the code has upcasters for ${event.type}`);
}

async function noteUnseen({ effects, searched }: ShownEvent, context: Context): Promise<void> {
  if (searched.isWhole) await context.note(`the first ${groupDigits(effects.length)} effects; -n N shows more`);
  else await explainExtent(context, searched);
}
