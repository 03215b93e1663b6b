/** `evstore checkpoints`: where subscriptions stand, and moving them by hand. */
import { formatAgo } from '../src/output/relative-time.js';
import { selectCheckpoints } from '../src/projection/status/lag.js';
import type { Checkpoint } from '../src/store/store.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { deleteCheckpoint, moveCheckpoint, wholeDistance } from './support/move-checkpoint.js';
import { type ListColumn, printList } from './support/print-list.js';

const executeOption = () => option('--execute', 'do it; without this flag it only says what it would do');

const list: Command = {
  usage: 'list [name...]',
  summary: 'where each subscription stands, and who holds it',
  writes: 'nothing',
  examples: [{ line: 'evstore checkpoints', purpose: "evstore's own and those of other programs" }],
  options: [],
  run: async (names, _flags, context) => {
    const store = await context.openStore();
    const checkpoints = selectCheckpoints(await store.projections.checkpoints(), names);
    await printList(context, checkpoints, columnsAt(context.io.now()), { checkpoints });
    if (checkpoints.length === 0) await context.note('no subscription has a checkpoint yet');
    return 0;
  },
};

const set: Command = {
  usage: 'set <name>',
  summary: 'move a checkpoint',
  writes: 'the position, with --execute; a runner that is at work stops and begins from there',
  examples: [
    { line: 'evstore checkpoints set mailer --to-head', purpose: 'what skipping everything would do' },
    { line: 'evstore checkpoints set mailer --shift -100 --execute', purpose: 'the last hundred positions again' },
    {
      line: 'evstore checkpoints set mailer --to-time 2026-01-31 --execute',
      purpose: 'from the first event of that day',
    },
  ],
  options: [
    option('--to <position>', 'everything after this global position is still to come', wholeNumber(0)),
    option('--to-start', 'before the first event'),
    option('--to-head', 'after the last event'),
    option('--to-time <time>', 'before the first event at or after it: ISO, or how long ago, as 15m'),
    option('--shift <positions>', 'forward, or back when negative', wholeDistance),
    executeOption(),
  ],
  run: async ([name = ''], flags, context) => {
    await moveCheckpoint(name, flags, context);
    return 0;
  },
};

const reset: Command = {
  usage: 'reset <name>',
  summary: 'move a checkpoint to the beginning',
  writes: 'the position, with --execute',
  examples: [{ line: 'evstore checkpoints reset mailer --execute', purpose: 'everything again' }],
  options: [executeOption()],
  run: async ([name = ''], flags, context) => {
    await moveCheckpoint(name, { ...flags, toStart: true }, context);
    return 0;
  },
};

const remove: Command = {
  usage: 'delete <name>',
  summary: 'delete a checkpoint',
  writes: 'removes the checkpoint, with --execute; the tables of a projection stay',
  examples: [{ line: 'evstore checkpoints delete mailer --execute', purpose: 'of a subscription that is gone' }],
  options: [executeOption()],
  run: async ([name = ''], flags, context) => {
    await deleteCheckpoint(name, flags, context);
    return 0;
  },
};

export const command: Command = {
  usage: 'checkpoints',
  summary: 'where subscriptions stand; move, reset or delete a checkpoint',
  writes: 'nothing, unless set, reset or delete is given --execute',
  examples: [
    { line: 'evstore checkpoints', purpose: 'list them' },
    { line: 'evstore checkpoints set mailer --to-head --execute', purpose: 'skip what is waiting' },
  ],
  options: [],
  subcommands: [list, set, reset, remove],
  defaultSubcommand: 'list',
};

function columnsAt(now: Date): readonly ListColumn<Checkpoint>[] {
  return [
    { heading: 'name', field: nameOf },
    { heading: 'position', field: ({ position }) => position, align: 'right' },
    { heading: 'updated', field: ({ updatedAt }) => updatedAt, text: ({ updatedAt }) => formatAgo(updatedAt, now) },
    { heading: 'generation', field: ({ generation }) => generation, align: 'right' },
    { heading: 'owner', field: ({ owner }) => owner },
    { heading: 'error', field: ({ lastError }) => lastError },
  ];
}

function nameOf({ subscriptionId }: Checkpoint): string {
  return subscriptionId;
}
