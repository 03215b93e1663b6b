/** `evstore checkpoints`: lists checkpoints, and moves them by hand. */

import { selectByName } from '../src/domain/similar.js';
import { summariseFailure } from '../src/output/failure-text.js';
import type { Mark } from '../src/output/glyphs.js';
import { groupDigits } from '../src/output/numbers.js';
import { showTime } from '../src/output/relative-time.js';
import type { View } from '../src/output/view.js';
import { selectCheckpoints } from '../src/projection/status/lag.js';
import type { Checkpoint, CheckpointChange, Store } from '../src/store/store.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { projectionsOption, timesOption } from './options/shared-options.js';
import { countOf } from './support/estimate.js';
import { deleteCheckpoint, moveCheckpoint, wholeDistance } from './support/move-checkpoint.js';
import { type ListColumn, printList } from './support/print-list.js';

const executeOption = () => option('--execute', 'apply the change; without it, only show what would change');
const changeOptions = () => [
  option('--reason <text>', 'why, for the record that `checkpoints history` shows'),
  option('--exact', 'count all events that are concerned (default: estimate what is large, marked ~)'),
  projectionsOption(),
  executeOption(),
];

const list: Command = {
  usage: 'list [name...]',
  summary: 'list each subscription with its position and owner',
  writes: 'nothing',
  examples: [{ line: 'evstore checkpoints', purpose: 'list the subscriptions of evstore and of other programs' }],
  options: [timesOption()],
  run: async (names, _flags, context) => {
    const store = await context.openStore();
    const checkpoints = selectCheckpoints(await store.projections.checkpoints(), names);
    await printList(context, checkpoints, columnsIn(context.view), {
      report: { checkpoints },
      nothing: 'no subscription has a checkpoint yet',
      mark: markOf,
    });
    return 0;
  },
};

const set: Command = {
  usage: 'set <name>',
  summary: 'move a checkpoint',
  writes: 'the position and a record of the change, with --execute; refused while a process works on it',
  examples: [
    { line: 'evstore checkpoints set mailer --to-head', purpose: 'show how many events that would skip' },
    {
      line: 'evstore checkpoints set mailer --to-head --skip-events --execute',
      purpose: 'never handle the events that wait now',
    },
    {
      line: 'evstore checkpoints set mailer --shift -100 --execute',
      purpose: 'process the last hundred positions again',
    },
    {
      line: 'evstore checkpoints set mailer --to-time 2026-01-31 --execute',
      purpose: 'start again from the first event of that day',
    },
  ],
  options: [
    option('--to <position>', 'move to this global position; later events are processed', wholeNumber(0)),
    option('--to-start', 'move before the first event'),
    option('--to-head', 'move after the last event'),
    option(
      '--to-time <time>',
      'move before the first event at or after this time: ISO (UTC without a zone), or an age such as 15m',
    ),
    option('--shift <positions>', 'move by this many positions; a negative number moves back', wholeDistance),
    option('--skip-events', 'allow a move forward, past events that are then never handled'),
    ...changeOptions(),
  ],
  run: async ([name = ''], flags, context) => {
    await moveCheckpoint(name, flags, context);
    return 0;
  },
};

const reset: Command = {
  usage: 'reset <name>',
  summary: 'move a checkpoint before the first event',
  writes: 'the position and a record of the change, with --execute; refused while a process works on it',
  examples: [{ line: 'evstore checkpoints reset mailer --execute', purpose: 'process every event again' }],
  options: changeOptions(),
  run: async ([name = ''], flags, context) => {
    await moveCheckpoint(name, { ...flags, toStart: true }, context);
    return 0;
  },
};

const remove: Command = {
  usage: 'delete <name>',
  summary: 'delete a checkpoint',
  writes: 'deletes the checkpoint and records that, with --execute; the tables of a projection are kept',
  examples: [
    {
      line: 'evstore checkpoints delete mailer --execute',
      purpose: 'delete the checkpoint of a subscription that no longer exists',
    },
  ],
  options: changeOptions(),
  run: async ([name = ''], flags, context) => {
    await deleteCheckpoint(name, flags, context);
    return 0;
  },
};

const history: Command = {
  usage: 'history [name]',
  summary: 'list the changes that were made by hand',
  writes: 'nothing',
  examples: [
    { line: 'evstore checkpoints history', purpose: 'list who moved which checkpoint, newest first' },
    { line: 'evstore checkpoints history mailer -n 1', purpose: 'show the last change of one' },
  ],
  options: [option('-n, --limit <count>', 'list at most this many changes', wholeNumber(1)), timesOption()],
  run: async ([name], { limit }, context) => {
    const store = await context.openStore();
    const found = await store.projections.checkpointChanges(name);
    if (name !== undefined && found.length === 0) await assertKnown(store, name);
    const changes = found.slice(0, limit as number | undefined);
    await printList(context, changes, changeColumns(context.view), {
      report: { changes },
      nothing: 'no checkpoint was changed by hand',
    });
    return 0;
  },
};

/** @throws E_NOT_FOUND for what never had a checkpoint, as far as that is known */
async function assertKnown({ projections }: Store, name: string): Promise<void> {
  const [checkpoints, changes] = await Promise.all([projections.checkpoints(), projections.checkpointChanges()]);
  selectByName([...checkpoints, ...changes], [name], nameOf);
}

export const command: Command = {
  usage: 'checkpoints',
  writes: 'nothing, except set, reset or delete with --execute',
  examples: [
    { line: 'evstore checkpoints', purpose: 'list checkpoints' },
    { line: 'evstore checkpoints set mailer --to-head', purpose: 'show what skipping all waiting events would change' },
    { line: 'evstore checkpoints history', purpose: 'list the changes that were made by hand' },
  ],
  options: [],
  subcommands: [list, set, reset, remove, history],
  defaultSubcommand: 'list',
};

function markOf({ lastError, owner }: Checkpoint): Mark {
  if (lastError !== null) return 'bad';
  return owner === null ? 'idle' : 'active';
}

function columnsIn(view: View): readonly ListColumn<Checkpoint>[] {
  return [
    { heading: 'name', field: nameOf },
    { heading: 'position', field: ({ position }) => position, align: 'right', rank: 'high' },
    {
      heading: 'updated',
      field: ({ updatedAt }) => updatedAt,
      text: ({ updatedAt }) => showTime(updatedAt, view, 'relative'),
    },
    { heading: 'generation', field: ({ generation }) => generation, align: 'right', rank: 'low' },
    { heading: 'owner', field: ({ owner }) => owner },
    {
      heading: 'error',
      field: ({ lastError }) => lastError,
      text: ({ lastError }) => summariseFailure(lastError ?? ''),
      isBelow: true,
    },
  ];
}

function changeColumns(view: View): readonly ListColumn<CheckpointChange>[] {
  return [
    { heading: 'at', field: ({ at }) => at, text: ({ at }) => showTime(at, view, 'local') },
    { heading: 'name', field: nameOf, isName: true },
    { heading: 'from', field: ({ from }) => from, align: 'right' },
    {
      heading: 'to',
      field: ({ to }) => to,
      text: ({ to }) => (to === null ? 'deleted' : groupDigits(to)),
      align: 'right',
    },
    {
      heading: 'events',
      field: ({ events }) => events,
      text: ({ events, estimated }) => (events === null ? '?' : countOf(events, estimated)),
      align: 'right',
    },
    { heading: 'estimated', field: ({ estimated }) => estimated, isForPrograms: true },
    { heading: 'by', field: ({ by }) => by },
    { heading: 'reason', field: ({ reason }) => reason },
    { heading: 'command', field: ({ command: line }) => line, rank: 'low' },
  ];
}

function nameOf({ subscriptionId }: Pick<Checkpoint, 'subscriptionId'>): string {
  return subscriptionId;
}
