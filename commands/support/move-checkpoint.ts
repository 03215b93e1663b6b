/** Moves a checkpoint by hand, or deletes it. Without `--execute` it only says what would change. */
import { EvstoreError } from '../../src/domain/errors.js';
import { partOf } from '../../src/domain/parts.js';
import { selectByName } from '../../src/domain/similar.js';
import { parseMoment } from '../../src/domain/timestamp.js';
import { findPosition } from '../../src/projection/status/move-checkpoint.js';
import type { Checkpoint, Store } from '../../src/store/store.js';
import type { Context, Flags } from '../options/command.js';
import { printReport } from './print-report.js';
import { loadCode } from './projection-code.js';

export async function moveCheckpoint(name: string, flags: Flags, context: Context): Promise<void> {
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
}

export async function deleteCheckpoint(name: string, flags: Flags, context: Context): Promise<void> {
  const store = await context.openStore();
  await change(store, await findCheckpoint(store, name), null, flags, context);
}

async function change(
  store: Store,
  { subscriptionId: name, position: from, owner }: Checkpoint,
  to: number | null,
  flags: Flags,
  context: Context,
): Promise<void> {
  const execute = flags.execute === true;
  const { projection } = partOf(name);
  const isProjection = (await store.projections.list()).some(
    (record) => record.name === projection && (record.tables.length > 0 || record.target !== null),
  );
  if (isProjection && to !== from) {
    await context.warn(
      `the rows of ${name} do not move with the checkpoint and would be wrong; ${await describeWay(projection, flags, context)}`,
    );
  }
  if (execute) await store.projections.setCheckpoint(name, to);
  const what = to === null ? `checkpoint at ${from}, deleted` : `${from} → ${to}`;
  const text = `${name}: ${execute ? what : `would be ${what}`}\n`;
  await printReport(context, { name, from, to, executed: execute }, to ?? '', () => text);
  if (owner !== null && execute) await context.note(`${owner} is running it and continues from there`);
  if (!execute) await context.note('nothing was changed; add --execute to do it');
}

/** Only code can rebuild rows. A file that cannot be loaded may define the projection. */
async function describeWay(projection: string, flags: Flags, context: Context): Promise<string> {
  const { found, failures } = await loadCode(context, flags);
  const isDetached = failures.length === 0 && found.length > 0 && !found.some(({ name }) => name === projection);
  if (isDetached) return `no code defines it, so remove it: evstore projections forget ${projection}`;
  return `rebuild them: evstore rebuild ${projection}`;
}

async function findCheckpoint(store: Store, name: string): Promise<Checkpoint> {
  const checkpoints = await store.projections.checkpoints();
  const [checkpoint] = selectByName(checkpoints, [name], ({ subscriptionId }) => subscriptionId);
  if (checkpoint === undefined) throw new EvstoreError('E_BUG', `the checkpoint of ${name} was not chosen`);
  return checkpoint;
}

/** Parses positions forward, or back when negative. */
export function wholeDistance(text: string): number {
  const distance = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(distance)) throw new EvstoreError('E_USAGE', `'${text}' is not a whole number`);
  return distance;
}
