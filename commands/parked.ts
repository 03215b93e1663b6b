/** `evstore parked`: events that a projection or saga could not handle, and what waits behind them. */

import { EvstoreError } from '../src/domain/errors.js';
import { partOf } from '../src/domain/parts.js';
import { reactionOf, sagaOf } from '../src/domain/subscription-names.js';
import { ownerName } from '../src/lease/owner.js';
import type { Mark } from '../src/output/glyphs.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import {
  describeReason,
  describeRetried,
  describeTables,
  groupParked,
  type ParkedGroup,
  renderShownParkedJson,
  summariseError,
} from '../src/output/parked-text.js';
import { showTime } from '../src/output/relative-time.js';
import type { View } from '../src/output/view.js';
import {
  assertKnown,
  discardParked,
  findDiscardable,
  findParked,
  retryCommand,
  showParked,
} from '../src/projection/parked/parked.js';
import { retryParked } from '../src/projection/parked/retry-parked.js';
import { retryParkedReaction } from '../src/reaction/retry-parked.js';
import { retryTriggers } from '../src/saga/retry-parked.js';
import type { ParkedEvent, ParkedState } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption, projectionsOption, timesOption } from './options/shared-options.js';
import { parsePlace, readSelection, selectionFlags } from './support/parked-selection.js';
import { type ListAnswer, type ListColumn, printList } from './support/print-list.js';
import { selectOne } from './support/projection-code.js';
import { selectReaction, selectSaga } from './support/run-code.js';

interface ListFlags {
  readonly state?: ParkedState;
  readonly limit?: number;
  readonly stream?: string;
}

const list: Command = {
  usage: 'list [name]',
  summary: 'list parked events and their errors',
  writes: 'nothing',
  examples: [
    { line: 'evstore parked list', purpose: 'list parked events of every projection' },
    { line: 'evstore parked list order_summary --state skipped', purpose: 'list what run --on-error skip skipped' },
    { line: 'evstore parked list order_summary -n 20', purpose: 'list events one by one instead of by error' },
  ],
  options: [
    option(
      '--state <state>',
      'only events in this state: parked, skipped, discarded (default: parked)',
      oneOf('parked', 'skipped', 'discarded'),
    ),
    option('--stream <stream>', 'only events of this stream'),
    option('-n, --limit <count>', 'list at most this many events', wholeNumber(1)),
    timesOption(),
  ],
  run: async ([name], flags, context) => {
    const { state = 'parked', limit, stream } = flags as ListFlags;
    const store = await context.openStore();
    if (name !== undefined) await assertKnown(store, name);
    const parked = await store.projections.parked({
      state,
      ...(name !== undefined && { projection: name }),
      ...(stream !== undefined && { streamId: stream }),
      ...(limit !== undefined && { limit }),
    });
    const isForPeople = context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet;
    const nothing = `nothing is ${state}`;
    if (isForPeople && limit === undefined && stream === undefined) {
      await printList(context, groupParked(parked), groupColumnsIn(context.view), {
        report: { parked },
        nothing,
        mark: markOf,
      });
    } else await printEvents(parked, context, { report: { parked }, nothing });
    const projections = state === 'parked' ? new Set(parked.map((each) => partOf(each.projection).projection)) : [];
    for (const each of projections) await context.note(`mend the code, then: ${retryCommand(each)}`);
    return 0;
  },
};

const show: Command = {
  usage: 'show <name> <event>',
  summary: 'show one event in full: why it is parked, and which events wait for it',
  writes: 'nothing',
  examples: [
    { line: 'evstore parked show order_summary 1042', purpose: 'name the event by its global position or its id' },
  ],
  options: [timesOption()],
  run: async ([name = '', place = ''], _flags, context) => {
    const shown = await showParked(await context.openStore(), name, parsePlace(place));
    const { stdout } = context.io;
    if (context.asJson) await stdout.write(renderShownParkedJson(shown));
    else if (context.quiet) await stdout.write(`${shown.parked.globalPosition}\n`);
    else {
      const { renderShownParked } = await import('../src/output/shown-parked-text.js');
      await stdout.write(renderShownParked(shown, context.view));
    }
    return 0;
  },
};

const retry: Command = {
  usage: 'retry <name> [event]',
  summary: 'retry parked events, stream by stream, in order',
  writes: 'the rows of these events, in the transaction that unparks them; for a saga, the instances that they start',
  examples: [
    { line: 'evstore parked retry order_summary', purpose: 'retry all parked events after the code is fixed' },
    { line: 'evstore parked retry order_summary 1042', purpose: 'retry the stream of that event' },
    { line: 'evstore parked retry order_summary --stream Order-7 --dry-run', purpose: 'show what would be retried' },
    { line: 'evstore parked retry saga:order_fulfilment', purpose: 'take the parked triggers of a saga again' },
  ],
  options: [...selectionFlags(), projectionsOption(), dryRunOption()],
  run: async ([name = '', place], flags, context) => {
    const selection = readSelection(place, flags) ?? { kind: 'all' };
    const store = await context.openStore();
    if (flags.dryRun === true) {
      const parked = await findParked(store, name, selection);
      await printEvents(parked, context, { report: { dryRun: true, parked }, nothing: 'nothing is parked' });
      await context.note('these events, and those that wait for them, would be retried');
      return 0;
    }
    const common = { store, owner: ownerName(), signal: context.io.signal };
    const [reaction, saga] = [reactionOf(name), sagaOf(name)];
    const streams =
      reaction !== undefined
        ? await retryParkedReaction({ ...common, reaction: await selectReaction(context, flags, reaction) }, selection)
        : saga !== undefined
          ? await retryTriggers(await findParked(store, name, selection), {
              ...common,
              sagas: await selectSaga(context, flags, saga),
            })
          : await retryParked({ ...common, projection: await selectOne(context, flags, name) }, selection);
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
  summary: 'mark parked events as never to be applied, and keep them as evidence',
  writes: 'the state of these events; later events of the stream stay parked',
  examples: [
    { line: 'evstore parked discard order_summary 1042', purpose: 'discard one event' },
    {
      line: 'evstore parked discard order_summary --stream Order-7 --yes',
      purpose: 'discard the failed events of a stream',
    },
  ],
  options: [...selectionFlags(), dryRunOption()],
  run: async ([name = '', place], flags, context) => {
    const selection = readSelection(place, flags);
    if (selection === undefined) throw nothingSelected(name);
    const store = await context.openStore();
    const found = await findDiscardable(store, name, selection);
    if (flags.dryRun === true) {
      await printEvents(found, context, { report: { dryRun: true, discarded: found }, nothing: 'nothing to discard' });
      await context.note('these would be discarded');
      return 0;
    }
    await context.confirm(
      `Discard ${groupDigits(found.length)} of the parked events of ${name}? They will never be applied.`,
    );
    const options = { store, owner: ownerName(), signal: context.io.signal };
    const { discarded, streamsToRetry } = await discardParked(options, name, selection);
    await printEvents(discarded, context, {
      report: { dryRun: false, discarded, streamsToRetry },
      nothing: 'nothing to discard',
    });
    for (const streamId of streamsToRetry) {
      await context.note(`no failure is left in ${streamId}; what waits there: ${retryCommand(name, streamId)}`);
    }
    return 0;
  },
};

export const command: Command = {
  usage: 'parked',
  writes: 'nothing, except retry and discard',
  examples: [
    { line: 'evstore parked', purpose: 'list parked events and their errors' },
    { line: 'evstore parked retry order_summary', purpose: 'retry parked events after the code is fixed' },
  ],
  options: [],
  subcommands: [list, show, retry, discard],
  defaultSubcommand: 'list',
};

async function printEvents(
  events: readonly ParkedEvent[],
  context: Context,
  answer: ListAnswer<ParkedEvent>,
): Promise<void> {
  await printList(context, events, columnsIn(context.view), answer);
}

async function print(lines: readonly string[], report: unknown, brief: string, context: Context): Promise<void> {
  const { stdout } = context.io;
  if (context.asJson) await stdout.write(renderReport(report));
  else for (const line of context.quiet ? [brief] : lines) await stdout.write(`${line}\n`);
}

function markOf({ error }: Pick<ParkedGroup, 'error'>): Mark {
  return error === '' ? 'idle' : 'caution';
}

/** On a terminal there may be thousands: how many, and why. */
function groupColumnsIn(view: View): readonly ListColumn<ParkedGroup>[] {
  return [
    { heading: 'projection', field: ({ projection }) => projection },
    { heading: 'events', field: ({ events }) => events, align: 'right', rank: 'high' },
    { heading: 'streams', field: ({ streams }) => streams, align: 'right' },
    { heading: 'type', field: ({ type }) => type, rank: 'high' },
    { heading: 'since', field: ({ since }) => since, text: ({ since }) => showTime(since, view, 'relative') },
    { heading: 'tables', field: ({ tables }) => tables, rank: 'low' },
    {
      heading: 'error',
      field: ({ error }) => error,
      text: ({ error }) => error || 'wait behind an earlier event of their stream',
      isBelow: true,
    },
  ];
}

function columnsIn(view: View): readonly ListColumn<ParkedEvent>[] {
  return [
    { heading: 'projection', field: ({ projection }) => projection, rank: 'high' },
    { heading: 'position', field: ({ globalPosition }) => globalPosition, align: 'right', isName: true },
    { heading: 'stream', field: ({ streamId }) => streamId, rank: 'high' },
    { heading: 'type', field: ({ type }) => type, rank: 'high' },
    { heading: 'state', field: ({ state }) => state },
    { heading: 'error', field: (each) => summariseError(each) || null, text: describeReason, isBelow: true },
    { heading: 'attempts', field: ({ attempts }) => attempts, align: 'right', rank: 'low' },
    {
      heading: 'since',
      field: ({ parkedAt }) => parkedAt,
      text: ({ parkedAt }) => showTime(parkedAt, view, 'relative'),
    },
    { heading: 'tables', field: describeTables, rank: 'low' },
  ];
}

function nothingSelected(name: string): EvstoreError {
  return new EvstoreError('E_USAGE', 'no events were selected', {
    why: 'Use a position, an id, --stream or --all.',
    next: `evstore parked list ${name}`,
  });
}
