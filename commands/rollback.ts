/** `evstore rollback`: takes the last swap of a projection back. */

import { checkpointsOf, leastOf } from '../src/lease/checkpoints.js';
import { renderReport } from '../src/output/json-line.js';
import { planRollback, type RollbackPlan, rollBack } from '../src/projection/swap/rollback.js';
import type { Command, Context } from './options/command.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { readSwitchOptions, switchFlags } from './options/swap-options.js';
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
  options: [...switchFlags(), projectionsOption(), dryRunOption()],
  run: async ([name = ''], flags, context) => {
    const store = await context.openStore();
    const code = await findCode(context, flags, name);
    const plan = await planRollback(store, name, code);
    const dryRun = flags.dryRun === true;
    if (dryRun) await print(name, plan, plan.livePosition, true, context);
    else {
      await context.confirm(question(name, plan));
      await rollBack(readSwitchOptions(flags, store, context), plan, code);
      const checkpoints = await store.projections.checkpoints();
      const position = leastOf(checkpointsOf(checkpoints, name)) ?? plan.oldPosition;
      await print(name, plan, position, false, context);
      if (!plan.hasOldCode) await context.warn(`evstore run needs the code of version ${plan.oldVersion} now`);
    }
    return 0;
  },
};

function question(name: string, { oldVersion, oldPosition, livePosition, hasOldCode }: RollbackPlan): string {
  if (hasOldCode) return `Bring the tables of version ${oldVersion} of ${name} up to date and make them live again?`;
  return (
    `The code of version ${oldVersion} of ${name} is not loaded, so its tables cannot be brought up to date: ` +
    `readers go back ${Math.max(0, livePosition - oldPosition)} positions, from ${livePosition} to ${oldPosition}, ` +
    'and evstore run will need the old code. Roll back?'
  );
}

async function print(
  name: string,
  plan: RollbackPlan,
  position: number,
  dryRun: boolean,
  context: Context,
): Promise<void> {
  const { rebuild, oldVersion, oldPosition, hasOldCode } = plan;
  const { stdout } = context.io;
  const reached = dryRun && !hasOldCode ? oldPosition : position;
  if (context.asJson) {
    const report = {
      dryRun,
      projection: name,
      rebuild: rebuild.id,
      version: oldVersion,
      oldPosition,
      position: reached,
    };
    await stdout.write(renderReport({ ...report, caughtUp: hasOldCode }));
  } else if (context.quiet) await stdout.write(`${reached}\n`);
  else {
    const what = dryRun ? 'would be live again' : 'is live again';
    await stdout.write(`${name}: version ${oldVersion} ${what}, at position ${reached}\n`);
    if (!dryRun)
      await context.note(`the swap can be repeated: evstore swap ${name}; or dropped: evstore abort ${name}`);
  }
}
