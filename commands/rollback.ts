/** `evstore rollback`: undoes the last swap of a projection. */

import { count } from '../src/domain/words.js';
import { checkpointsOf, leastOf } from '../src/lease/checkpoints.js';
import { groupDigits } from '../src/output/numbers.js';
import { planRollback, type RollbackPlan, rollBack } from '../src/projection/swap/rollback.js';
import type { Command, Context } from './options/command.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { readTableSwapOptions, tableSwapFlags } from './options/swap-options.js';
import { printReport } from './support/print-report.js';
import { findCode } from './support/projection-code.js';

export const command: Command = {
  usage: 'rollback <name>',
  writes: 'events since the swap to the old tables, if their code is loaded; then swaps the tables back',
  examples: [
    {
      line: 'evstore rollback order_summary',
      purpose: 'swap the old tables back in, caught up if their code is loaded',
    },
    { line: 'evstore rollback order_summary --dry-run', purpose: 'show how many positions readers would lose' },
  ],
  options: [...tableSwapFlags(), projectionsOption(), dryRunOption()],
  run: async ([name = ''], flags, context) => {
    const store = await context.openStore();
    const code = await findCode(context, flags, name);
    const plan = await planRollback(store, name, code);
    const dryRun = flags.dryRun === true;
    if (dryRun) await print(name, plan, plan.livePosition, true, context);
    else {
      await context.confirm(question(name, plan));
      await rollBack(readTableSwapOptions(flags, store, context), plan, code);
      const checkpoints = await store.projections.checkpoints();
      const position = leastOf(checkpointsOf(checkpoints, name)) ?? plan.oldPosition;
      await print(name, plan, position, false, context);
      if (!plan.hasOldCode) await context.warn(`evstore run now needs the code that made version ${plan.oldVersion}`);
    }
    return 0;
  },
};

function question(name: string, plan: RollbackPlan): string {
  const { oldVersion, oldPosition, livePosition, hasOldCode } = plan;
  if (hasOldCode) return `Catch up the tables of version ${oldVersion} of ${name} and make them live again?`;
  const back =
    livePosition > oldPosition
      ? `readers go back ${count(livePosition - oldPosition, 'position')}, from ${groupDigits(livePosition)} to ${groupDigits(oldPosition)}`
      : `they stay at position ${groupDigits(oldPosition)}, where the live ones are`;
  return (
    `${describeCode(name, plan)}, so its tables cannot be caught up: ${back}, ` +
    'and evstore run will need the old code. Roll back?'
  );
}

/** Says why the old tables cannot be caught up. */
function describeCode(name: string, { code, oldVersion }: RollbackPlan): string {
  const loaded = `The loaded code of version ${oldVersion} of ${name}`;
  if (code === 'stale code') return `${loaded} is not the code that made the old tables`;
  if (code === 'unverified') return `${loaded} may not be the code that made the old tables`;
  return `The code of version ${oldVersion} of ${name} is not loaded`;
}

async function print(
  name: string,
  plan: RollbackPlan,
  position: number,
  dryRun: boolean,
  context: Context,
): Promise<void> {
  const { rebuild, oldVersion, oldPosition, hasOldCode } = plan;
  const reached = dryRun && !hasOldCode ? oldPosition : position;
  const report = { dryRun, projection: name, rebuild: rebuild.id, version: oldVersion, oldPosition, position: reached };
  const what = dryRun ? 'would be live again' : 'is live again';
  const text = `${name}: version ${oldVersion} ${what}, at position ${groupDigits(reached)}\n`;
  await printReport(context, { ...report, caughtUp: hasOldCode }, reached, () => text);
  if (dryRun) return;
  await context.note(`swap again with: evstore swap ${name}, or drop the newer tables with: evstore abort ${name}`);
}
