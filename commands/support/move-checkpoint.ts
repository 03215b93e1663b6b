/** Moves a checkpoint by hand, or deletes it. Without `--execute` it only says what would change. */
import { EvstoreError } from '../../src/domain/errors.js';
import { partOf } from '../../src/domain/parts.js';
import { selectByName } from '../../src/domain/similar.js';
import { parseMoment } from '../../src/domain/timestamp.js';
import { accountName, ownerName } from '../../src/lease/owner.js';
import { withLease } from '../../src/lease/with-lease.js';
import { groupDigits } from '../../src/output/numbers.js';
import { type ChangeEffect, measureChange } from '../../src/projection/status/change-effect.js';
import { findPosition } from '../../src/projection/status/move-checkpoint.js';
import type { Checkpoint, Store } from '../../src/store/store.js';
import type { Context, Flags } from '../options/command.js';
import { countOf } from './estimate.js';
import { noteScan } from './note-scan.js';
import { printReport } from './print-report.js';
import { loadCode } from './projection-code.js';

export async function moveCheckpoint(name: string, flags: Flags, context: Context): Promise<void> {
  const store = await context.openStore();
  const checkpoint = await findCheckpoint(store, name);
  const toTime = flags.toTime === undefined ? undefined : parseMoment(String(flags.toTime), context.io.now());
  if (toTime !== undefined) await noteScan(context, store, { filter: { since: toTime } });
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
  checkpoint: Checkpoint,
  to: number | null,
  flags: Flags,
  context: Context,
): Promise<void> {
  const { subscriptionId: name, owner } = checkpoint;
  const execute = flags.execute === true;
  const { projection } = partOf(name);
  const effect = await measureChange(store, checkpoint, to, flags.exact === true);
  const isProjection = (await store.projections.list()).some(
    (record) => record.name === projection && (record.tables.length > 0 || record.target !== null),
  );
  const isMoved = isProjection && to !== effect.from;
  if (isMoved && !execute) {
    const way = await describeWay(projection, flags, context);
    await context.warn(`the rows of ${name} do not move with the checkpoint and would be wrong; ${way}`);
  }
  const needsConsent = effect.effect === 'skip' && effect.atMost > 0 && flags.skipEvents !== true;
  if (execute && needsConsent) throw skipsEvents(effect, context.repeatedWith('--skip-events'));
  if (execute) await apply(store, effect, flags, context);
  await printReport(context, { ...effect, executed: execute, owner }, to ?? '', () => describe(effect, execute));
  if (isMoved && execute) {
    const way = await describeWay(projection, flags, context);
    await context.warn(`the rows of ${name} did not move with the checkpoint and no longer fit it; ${way}`);
  }
  if (execute) return;
  if (owner !== null) await context.warn(`${owner} is working on ${name}; stop it before you add --execute`);
  await context.note(`nothing was changed; add ${needsConsent ? '--skip-events ' : ''}--execute to do it`);
  if (effect.estimated) await context.note('~ is an estimate; --exact counts all of these events');
}

/** Holds the lease meanwhile, so that no process works from the position that is replaced. */
async function apply(store: Store, { name, to, ...effect }: ChangeEffect, flags: Flags, context: Context) {
  const target = { kind: 'checkpoint', subscriptionId: name } as const;
  const reason = typeof flags.reason === 'string' ? flags.reason : null;
  const { from, events, estimated } = effect;
  const change = { from, events, estimated, by: accountName(), command: context.repeatedWith(), reason };
  await withLease(store.projections, target, { owner: ownerName(), signal: context.io.signal }, () =>
    store.projections.setCheckpoint(name, to, change),
  );
}

function describe({ name, from, to, ...effect }: ChangeEffect, executed: boolean): string {
  const what = to === null ? `checkpoint at ${from}, deleted` : `${from} → ${to}`;
  const first = `${name}: ${executed ? what : `would be ${what}`}\n`;
  if (effect.effect === 'none') return first;
  const would = executed ? 'will' : 'would';
  const fate = effect.effect === 'skip' ? `${would} never be handled` : `${would} be handled again`;
  return `${first}${countEvents(effect)} ${fate}${to === null ? ' if it ever runs again' : ''}\n`;
}

function countEvents({ events, estimated, atMost }: Pick<ChangeEffect, 'events' | 'estimated' | 'atMost'>): string {
  if (events === null) return `at most ${groupDigits(atMost)} events (which of them it handles is unknown)`;
  return `${countOf(events, estimated)} ${events === 1 ? 'event' : 'events'}`;
}

function skipsEvents(effect: ChangeEffect, next: string): EvstoreError {
  const { name, from, to, events, atMost } = effect;
  const start = groupDigits(from ?? 0);
  const range = to === null ? `After ${start}` : `Between ${start} and ${groupDigits(to)}`;
  return new EvstoreError('E_CONFIRM', `${name} would skip events; use --skip-events`, {
    why: `${range}, ${countEvents(effect)} would never be handled. Nothing was changed.`,
    next,
    details: { name, from, to, events, atMost },
  });
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
