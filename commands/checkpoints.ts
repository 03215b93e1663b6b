/** `evstore checkpoints`: where subscriptions stand, and moving them by hand. */
import { EvstoreError } from '../src/domain/errors.js';
import { parseMoment } from '../src/domain/timestamp.js';
import { renderReport } from '../src/output/json-line.js';
import { formatAgo } from '../src/output/relative-time.js';
import { selectByName } from '../src/projection/lag.js';
import { findPosition } from '../src/projection/move-checkpoint.js';
import type { Checkpoint, Store } from '../src/store/store.js';
import { type Command, type Flags, option } from './command.js';
import type { Context } from './context.js';
import { wholeNumber } from './parse-option.js';
import { type ListColumn, printList } from './print-list.js';

const executeOption = () => option('--execute', 'do it; without this flag it only says what it would do');

const list: Command = {
  usage: 'list [name...]',
  summary: 'where each subscription stands, and who holds it',
  writes: 'nothing',
  examples: [{ line: 'evstore checkpoints', purpose: "evstore's own and those of other programs" }],
  options: [],
  run: async (names, _flags, context) => {
    const store = await context.openStore();
    const checkpoints = selectByName(await store.projections.checkpoints(), names, nameOf);
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
    option('--shift <positions>', 'forward, or back when negative', wholeShift),
    executeOption(),
  ],
  run: async ([name = ''], flags, context) => move(name, flags, context),
};

const reset: Command = {
  usage: 'reset <name>',
  summary: 'move a checkpoint to the beginning',
  writes: 'the position, with --execute',
  examples: [{ line: 'evstore checkpoints reset mailer --execute', purpose: 'everything again' }],
  options: [executeOption()],
  run: async ([name = ''], flags, context) => move(name, { ...flags, toStart: true }, context),
};

const remove: Command = {
  usage: 'delete <name>',
  summary: 'delete a checkpoint',
  writes: 'removes the checkpoint, with --execute; the tables of a projection stay',
  examples: [{ line: 'evstore checkpoints delete mailer --execute', purpose: 'of a subscription that is gone' }],
  options: [executeOption()],
  run: async ([name = ''], flags, context) => {
    const store = await context.openStore();
    const checkpoint = await findCheckpoint(store, name);
    await change(store, checkpoint, null, flags, context);
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

async function move(name: string, flags: Flags, context: Context): Promise<number> {
  const store = await context.openStore();
  const checkpoint = await findCheckpoint(store, name);
  const toTime = flags.toTime === undefined ? undefined : parseMoment(String(flags.toTime), context.io.now());
  const position = await findPosition(store.log, checkpoint.position, {
    toStart: flags.toStart as boolean | undefined,
    toHead: flags.toHead as boolean | undefined,
    to: flags.to as number | undefined,
    toTime,
    shift: flags.shift as number | undefined,
  });
  await change(store, checkpoint, position, flags, context);
  return 0;
}

async function change(
  store: Store,
  { subscriptionId: name, position: from, owner }: Checkpoint,
  to: number | null,
  flags: Flags,
  context: Context,
): Promise<void> {
  const execute = flags.execute === true;
  const isProjection = (await store.projections.list()).some(
    (record) => record.name === name && record.tables.length > 0,
  );
  if (isProjection && to !== from) {
    await context.warn(
      `the rows of ${name} stay as they are and would be wrong; evstore rebuild ${name} makes them anew`,
    );
  }
  if (execute) {
    await context.confirm(
      to === null ? `Delete the checkpoint of ${name}, at ${from}?` : `Move ${name} from ${from} to ${to}?`,
    );
    await store.projections.setCheckpoint(name, to);
  }
  if (context.format({ people: 'table', pipe: 'table' }) === 'json') {
    await context.io.stdout.write(renderReport({ name, from, to, executed: execute }));
    return;
  }
  if (context.quiet) await context.io.stdout.write(`${to ?? ''}\n`);
  else {
    const what = to === null ? `checkpoint at ${from}, deleted` : `${from} → ${to}`;
    await context.io.stdout.write(`${name}: ${execute ? what : `would be ${what}`}\n`);
  }
  if (owner !== null && execute) await context.note(`${owner} runs it, and begins from there`);
  if (!execute) await context.note('nothing was changed; --execute does it');
}

async function findCheckpoint(store: Store, name: string): Promise<Checkpoint> {
  const [checkpoint] = selectByName(await store.projections.checkpoints(), [name], nameOf);
  if (checkpoint === undefined) throw new EvstoreError('E_BUG', `the checkpoint of ${name} was not chosen`);
  return checkpoint;
}

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

function wholeShift(text: string): number {
  const shift = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(shift)) throw new EvstoreError('E_USAGE', `'${text}' is not a whole number`);
  return shift;
}
