/** `evstore abort`: drops unfinished rebuilds. */

import { EvstoreError } from '../src/domain/errors.js';
import { describeMeant } from '../src/domain/similar.js';
import { ownerName } from '../src/lease/owner.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import { abortRebuild, assertLoaded, type DropPlan, planDrop } from '../src/projection/journal/drop.js';
import { findAllUnfinished, findUnfinished } from '../src/projection/journal/find.js';
import type { Rebuild, Store } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { assertNamedOrAll, dryRunOption, projectionsOption } from './options/shared-options.js';
import { maxWaitFlag, readPatience } from './options/swap-options.js';
import { dropEach, noteLeft } from './support/drop-each.js';
import { failWithFirst } from './support/fail-with-first.js';
import { findAllCode } from './support/projection-code.js';

export const command: Command = {
  usage: 'abort [name]',
  writes: 'drops the tables of the rebuild; the live tables are unchanged',
  examples: [
    { line: 'evstore abort order_summary', purpose: 'drop an interrupted or unwanted rebuild' },
    { line: 'evstore abort --all --yes', purpose: 'drop every unfinished rebuild; exit 0 if there is none' },
  ],
  options: [
    option('--all', 'drop every unfinished rebuild of this store'),
    maxWaitFlag('wait this long for a process that may still work on one'),
    projectionsOption(),
    dryRunOption(),
  ],
  run: async ([name], flags, context) => {
    assertNamedOrAll(name === undefined ? [] : [name], flags);
    const store = await context.openStore();
    const unfinished = name === undefined ? await findAllUnfinished(store) : [await findNamed(store, name)];
    const external = unfinished.filter(({ target }) => target !== null);
    const names = external.map(({ projection }) => projection);
    const loaded = external.length === 0 ? [] : await findAllCode(context, flags, names);
    const codeOf = ({ projection }: Rebuild) => loaded.find(({ name: each }) => each === projection);
    for (const each of external) assertLoaded(each, codeOf(each));
    const plans = await Promise.all(unfinished.map((each) => planDrop(store, each, 'built')));
    if (flags.dryRun === true || plans.length === 0) {
      await print(plans, name !== undefined, flags.dryRun === true, context);
      return 0;
    }
    await context.confirm(`${plans.map(describePlan).join('; ')}?`);
    const options = { store, owner: ownerName(), patience: readPatience(flags, context), signal: context.io.signal };
    const errors = await dropEach(plans, ({ rebuild }) => abortRebuild({ ...options, code: codeOf(rebuild) }, rebuild));
    await print(
      plans.filter((plan) => !errors.has(plan)),
      name !== undefined,
      false,
      context,
    );
    return failWithFirst([...errors.values()], context);
  },
};

async function print(plans: readonly DropPlan[], isNamed: boolean, dryRun: boolean, context: Context): Promise<void> {
  const { stdout } = context.io;
  const aborted = plans.map(({ rebuild, dropped, left }) => {
    return { projection: rebuild.projection, rebuild: rebuild.id, dropped, left };
  });
  if (context.asJson) {
    // With a name, its own fields are repeated at the top.
    await stdout.write(renderReport({ dryRun, ...(isNamed ? aborted[0] : {}), aborted }));
    return;
  }
  for (const { projection, rebuild, dropped } of aborted) {
    const would = dryRun ? 'would be ' : '';
    const what = dropped.length === 0 ? `rebuild ${rebuild}, which has no tables, ${would}ended` : '';
    const line = `${projection}: ${what || `${dropped.join(', ')} ${would}dropped`}`;
    await stdout.write(`${context.quiet ? rebuild : line}\n`);
  }
  for (const { left } of aborted) await noteLeft(left, context);
  if (aborted.length === 0) await context.note('there is no unfinished rebuild');
}

async function findNamed(store: Store, name: string): Promise<Rebuild> {
  const unfinished = await findUnfinished(store, name);
  if (unfinished !== undefined) return unfinished;
  throw new EvstoreError('E_NOT_FOUND', `${name} has no unfinished rebuild`, {
    why: describeMeant(await store.projections.list(), name),
    next: 'evstore projections',
  });
}

function describePlan({ rebuild, dropped }: DropPlan): string {
  if (dropped.length === 0) return `End rebuild ${rebuild.id} of ${rebuild.projection}, which has no tables`;
  return `Drop ${dropped.join(', ')}, filled up to position ${groupDigits(rebuild.position)}`;
}
