/** `evstore checkpoints`: lists checkpoints, and moves them by hand. */

import type { Mark } from '../src/output/glyphs.js';
import { showTime } from '../src/output/relative-time.js';
import type { View } from '../src/output/view.js';
import { selectCheckpoints } from '../src/projection/status/lag.js';
import type { Checkpoint } from '../src/store/store.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { projectionsOption, timesOption } from './options/shared-options.js';
import { deleteCheckpoint, moveCheckpoint, wholeDistance } from './support/move-checkpoint.js';
import { type ListColumn, printList } from './support/print-list.js';

const executeOption = () => option('--execute', 'apply the change; without it, only show what would change');
const changeOptions = () => [projectionsOption(), executeOption()];

const list: Command = {
  usage: 'list [name...]',
  summary: 'list each subscription with its position and owner',
  writes: 'nothing',
  examples: [{ line: 'evstore checkpoints', purpose: 'list the subscriptions of evstore and of other programs' }],
  options: [timesOption()],
  run: async (names, _flags, context) => {
    const store = await context.openStore();
    const checkpoints = selectCheckpoints(await store.projections.checkpoints(), names);
    await printList(context, checkpoints, columnsIn(context.view), { checkpoints }, markOf);
    if (checkpoints.length === 0) await context.note('no subscription has a checkpoint yet');
    return 0;
  },
};

const set: Command = {
  usage: 'set <name>',
  summary: 'move a checkpoint',
  writes: 'the position, with --execute; an active runner restarts from there',
  examples: [
    { line: 'evstore checkpoints set mailer --to-head', purpose: 'show what skipping all waiting events would change' },
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
  writes: 'the position, with --execute',
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
  writes: 'deletes the checkpoint, with --execute; the tables of a projection are kept',
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

export const command: Command = {
  usage: 'checkpoints',
  writes: 'nothing, except set, reset or delete with --execute',
  examples: [
    { line: 'evstore checkpoints', purpose: 'list checkpoints' },
    { line: 'evstore checkpoints set mailer --to-head --execute', purpose: 'skip all waiting events' },
  ],
  options: [],
  subcommands: [list, set, reset, remove],
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
    { heading: 'error', field: ({ lastError }) => lastError, isBelow: true },
  ];
}

function nameOf({ subscriptionId }: Checkpoint): string {
  return subscriptionId;
}
