/** The aggregates that a command works with: loaded from the files of the config, or of the folder `aggregates`. */
import { type LoadedAggregateCode, loadAggregates } from '../../src/aggregate/load.js';
import type { AggregateCode } from '../../src/aggregate/manage-snapshots.js';
import { EvstoreError } from '../../src/domain/errors.js';
import type { Context, Flags } from '../options/command.js';
import { loadFrom, selectNamed, tellFailures } from './projection-code.js';

/** Executes the files. Warns of those that cannot be loaded. */
export async function loadAggregateCode(context: Context, flags: Flags): Promise<AggregateCode> {
  const loaded = await load(context, flags);
  await tellFailures(context, [], loaded);
  return new Map(loaded.found.map((each) => [each.name, each]));
}

/** @throws E_NOT_FOUND, or an error that names the files that cannot be loaded; E_CONFIG for one without snapshots */
export async function selectAggregate(context: Context, flags: Flags, name: string): Promise<LoadedAggregateCode> {
  const none = {
    what: 'no aggregate found',
    why: "Neither the config's aggregates nor the folder aggregates holds one.",
    next: 'evstore config show',
  };
  const [aggregate] = await selectNamed(context, [name], await load(context, flags), none);
  if (aggregate === undefined) throw new EvstoreError('E_BUG', 'no aggregate was chosen');
  return aggregate;
}

async function load(context: Context, flags: Flags) {
  const { aggregates: globs, folder } = await context.config();
  return loadFrom(context, flags, { globs, folder }, loadAggregates);
}
