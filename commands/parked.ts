/** `evstore parked`: events that a projection could not handle, and what waits behind them. */

import { EvstoreError } from '../src/domain/errors.js';
import { ownerName } from '../src/lease/owner.js';
import { renderReport } from '../src/output/json-line.js';
import {
  describeRetried,
  describeTables,
  renderShownParked,
  renderShownParkedJson,
  summariseError,
} from '../src/output/parked-text.js';
import { formatAgo } from '../src/output/relative-time.js';
import {
  assertKnown,
  discardParked,
  findDiscardable,
  findParked,
  retryCommand,
  showParked,
} from '../src/projection/parked/parked.js';
import { retryParked } from '../src/projection/parked/retry-parked.js';
import type { ParkedEvent, ParkedState } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { parsePlace, readSelection, selectionFlags } from './support/parked-selection.js';
import { type ListColumn, printList } from './support/print-list.js';
import { selectCode } from './support/projection-code.js';

const list: Command = {
  usage: 'list [name]',
  summary: 'what is parked, and why',
  writes: 'nothing',
  examples: [
    { line: 'evstore parked list', purpose: 'of every projection' },
    { line: 'evstore parked list order_summary --state skipped', purpose: 'what was given up by run --on-error skip' },
  ],
  options: [
    option('--state <state>', 'parked, skipped, discarded (default: parked)', oneOf('parked', 'skipped', 'discarded')),
    option('-n, --limit <count>', 'at most so many', wholeNumber(1)),
  ],
  run: async ([name], flags, context) => {
    const { state = 'parked', limit } = flags as { readonly state?: ParkedState; readonly limit?: number };
    const store = await context.openStore();
    if (name !== undefined) await assertKnown(store, name);
    const parked = await store.projections.parked({
      state,
      ...(name !== undefined && { projection: name }),
      ...(limit !== undefined && { limit }),
    });
    await printEvents(parked, context, { parked });
    if (parked.length === 0) await context.note(`nothing is ${state}`);
    return 0;
  },
};

const show: Command = {
  usage: 'show <name> <event>',
  summary: 'one event in full: why it is parked, and what waits behind it',
  writes: 'nothing',
  examples: [{ line: 'evstore parked show order_summary 1042', purpose: 'by its global position, or its id' }],
  options: [],
  run: async ([name = '', place = ''], _flags, context) => {
    const shown = await showParked(await context.openStore(), name, parsePlace(place));
    const { stdout } = context.io;
    if (context.asJson) await stdout.write(renderShownParkedJson(shown));
    else if (context.quiet) await stdout.write(`${shown.parked.globalPosition}\n`);
    else await stdout.write(renderShownParked(shown, context.view));
    return 0;
  },
};

const retry: Command = {
  usage: 'retry <name> [event]',
  summary: 'try parked events again: whole streams, in order',
  writes: 'the rows of these events, in the transaction in which they are no longer parked; a runner waits meanwhile',
  examples: [
    { line: 'evstore parked retry order_summary', purpose: 'all of them, after the code was mended' },
    { line: 'evstore parked retry order_summary 1042', purpose: 'the stream of that event' },
    { line: 'evstore parked retry order_summary --stream Order-7 --dry-run', purpose: 'what would be tried' },
  ],
  options: [...selectionFlags(), projectionsOption(), dryRunOption()],
  run: async ([name = '', place], flags, context) => {
    const selection = readSelection(place, flags) ?? { kind: 'all' };
    const store = await context.openStore();
    if (flags.dryRun === true) {
      const parked = await findParked(store, name, selection);
      await printEvents(parked, context, { dryRun: true, parked });
      await context.note('these, and what waits behind them, would be tried again');
      return 0;
    }
    const [projection] = await selectCode(context, flags, [name]);
    if (projection === undefined) throw new EvstoreError('E_BUG', 'no projection was chosen');
    const options = { store, projection, owner: ownerName(), signal: context.io.signal };
    const streams = await retryParked(options, selection);
    await print(
      streams.map(describeRetried),
      { dryRun: false, streams: streams.map((each) => ({ ...each, error: each.error?.message ?? null })) },
      String(streams.reduce((sum, { applied }) => sum + applied, 0)),
      context,
    );
    const failed = streams.find(({ error }) => error !== null)?.error;
    if (failed) throw failed;
    return 0;
  },
};

const discard: Command = {
  usage: 'discard <name> [event]',
  summary: 'give parked events up: they are kept as evidence, and never applied',
  writes: 'that they are discarded; what waits behind them is still parked',
  examples: [
    { line: 'evstore parked discard order_summary 1042', purpose: 'this event' },
    { line: 'evstore parked discard order_summary --stream Order-7 --yes', purpose: 'what failed in the stream' },
  ],
  options: [...selectionFlags(), dryRunOption()],
  run: async ([name = '', place], flags, context) => {
    const selection = readSelection(place, flags);
    if (selection === undefined) throw nothingSelected(name);
    const store = await context.openStore();
    const found = await findDiscardable(store, name, selection);
    if (flags.dryRun === true) {
      await printEvents(found, context, { dryRun: true, discarded: found });
      await context.note('these would be discarded');
      return 0;
    }
    await context.confirm(`Discard ${found.length} of the parked events of ${name}? They will never be applied.`);
    const options = { store, owner: ownerName(), signal: context.io.signal };
    const { discarded, streamsToRetry } = await discardParked(options, name, selection);
    await printEvents(discarded, context, { dryRun: false, discarded, streamsToRetry });
    for (const streamId of streamsToRetry) {
      await context.note(`no failure is left in ${streamId}; what waits there: ${retryCommand(name, streamId)}`);
    }
    return 0;
  },
};

export const command: Command = {
  usage: 'parked',
  summary: 'events that a projection could not handle: look at them, try them again, give them up',
  writes: 'nothing, except retry and discard',
  examples: [
    { line: 'evstore parked', purpose: 'what is parked, and why' },
    { line: 'evstore parked retry order_summary', purpose: 'after the code was mended' },
  ],
  options: [],
  subcommands: [list, show, retry, discard],
  defaultSubcommand: 'list',
};

async function printEvents(events: readonly ParkedEvent[], context: Context, report: unknown): Promise<void> {
  await printList(context, events, columnsAt(context.io.now()), report);
}

async function print(lines: readonly string[], report: unknown, brief: string, context: Context): Promise<void> {
  const { stdout } = context.io;
  if (context.asJson) await stdout.write(renderReport(report));
  else for (const line of context.quiet ? [brief] : lines) await stdout.write(`${line}\n`);
}

function columnsAt(now: Date): readonly ListColumn<ParkedEvent>[] {
  return [
    { heading: 'projection', field: ({ projection }) => projection },
    { heading: 'position', field: ({ globalPosition }) => globalPosition, align: 'right', isName: true },
    { heading: 'stream', field: ({ streamId }) => streamId },
    { heading: 'type', field: ({ type }) => type },
    { heading: 'state', field: ({ state }) => state },
    { heading: 'error', field: (each) => summariseError(each) || null },
    { heading: 'attempts', field: ({ attempts }) => attempts, align: 'right' },
    { heading: 'since', field: ({ parkedAt }) => parkedAt, text: ({ parkedAt }) => formatAgo(parkedAt, now) },
    { heading: 'tables', field: describeTables },
  ];
}

function nothingSelected(name: string): EvstoreError {
  return new EvstoreError('E_USAGE', 'which events are to be discarded?', {
    why: 'It takes a position or an id, --stream, or --all.',
    next: `evstore parked list ${name}`,
  });
}
