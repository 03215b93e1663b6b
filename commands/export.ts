/** `evstore export`: events as NDJSON, on stdout or in a file, as `import` takes them. */

import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import type { Store } from '../src/store/store.js';
import type { Output } from '../src/terminal/io.js';
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
import { dryRunOption, progressOption } from './options/shared-options.js';
import { createEventWriter } from './support/event-output.js';
import { noteFullScan, noteScan } from './support/note-scan.js';

export const command: Command = {
  usage: 'export [stream]',
  writes: 'the file of --to, which appears when it is complete; nothing in the store',
  examples: [
    { line: 'evstore export --to events.ndjson.gz', purpose: 'write the whole log, compressed' },
    { line: 'evstore export --category Order --since 2026-01-01 > orders.ndjson', purpose: 'write a part of the log' },
  ],
  options: [
    ...rangeOptions('--to-position'),
    option('-n, --limit <count>', 'write at most this many events', wholeNumber(1)),
    option('--to <file>', 'the file to write; compressed when it ends in .gz (default: stdout)'),
    progressOption(),
    dryRunOption(),
  ],
  run: ([streamId], flags, context) => exportEvents(streamId, flags, context),
};

async function exportEvents(streamId: string | undefined, flags: Flags, context: Context): Promise<number> {
  const range = parseRange(streamId, { ...flags, to: flags.toPosition }, context.io.now());
  const file = flags.to === '-' ? undefined : (flags.to as string | undefined);
  const store = await context.openStore();
  if (streamId !== undefined) await assertStreamExists(store, streamId);
  const dryRun = flags.dryRun === true;
  const readsAll = !isNarrowed(range) && range.limit === undefined && streamId === undefined;
  // In a pipe its lines are seen.
  if (readsAll && (file !== undefined || dryRun)) await noteFullScan(context, store);
  await noteScan(context, store, range);
  const { createFileOutput } = await import('../src/terminal/file-output.js');
  const target = file === undefined || dryRun ? undefined : await createFileOutput(file, context.io.cwd);
  const { stdout } = context.io;
  // Lines to be copied stay whole on a terminal too.
  const output: Pick<Output, 'write'> = target ?? { write: (text, events) => stdout.write(Buffer.from(text), events) };
  const writer = dryRun ? undefined : await createEventWriter(flags, context, { output });
  const progress = file === undefined && !dryRun ? undefined : await context.progress(`export ${file ?? ''}`.trim());
  let count = 0;
  try {
    for await (const events of writer?.copy(store, range) ?? countRange(store, range)) {
      count += events;
      progress?.update(count);
      context.io.signal.throwIfAborted();
    }
    await target?.finish();
  } catch (error) {
    await target?.discard();
    throw error;
  } finally {
    progress?.stop();
  }
  if (file !== undefined || dryRun) await report(context, { file: file ?? null, events: count, dryRun });
  return 0;
}

async function* countRange(store: Store, range: EventRange): AsyncGenerator<number> {
  for await (const { events } of readRange(store, range)) yield events.length;
}

async function report(
  context: Context,
  facts: { file: string | null; events: number; dryRun: boolean },
): Promise<void> {
  const { file, events, dryRun } = facts;
  if (context.asJson) {
    await context.io.stdout.write(renderReport(facts));
    return;
  }
  const where = file === null ? 'stdout' : file;
  await context.note(`${groupDigits(events)} events ${dryRun ? 'would be written' : 'written'} to ${where}`);
}
