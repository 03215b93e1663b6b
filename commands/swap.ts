/** `evstore swap`: swaps in a rebuild that is ready. */
import { groupDigits } from '../src/output/numbers.js';
import { describeNoWayBack, describeWayBack } from '../src/output/rebuild-text.js';
import { planSwap, swapReady } from '../src/projection/swap/swap.js';
import type { Command } from './options/command.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { keepOldFlag, readSwapOptions, tableSwapFlags, yesEmptyFlag } from './options/swap-options.js';
import { printReport } from './support/print-report.js';
import { selectOne } from './support/projection-code.js';

export const command: Command = {
  usage: 'swap <name>',
  writes: 'events since the rebuild; then swaps the tables in one transaction',
  examples: [{ line: 'evstore swap order_summary', purpose: 'swap after evstore rebuild order_summary --no-swap' }],
  options: [keepOldFlag(), yesEmptyFlag(), ...tableSwapFlags(), projectionsOption(), dryRunOption()],
  run: async ([name = ''], flags, context) => {
    const projection = await selectOne(context, flags, name);
    const store = await context.openStore();
    const ready = await planSwap(store, projection);
    const dryRun = flags.dryRun === true;
    const options = readSwapOptions(flags, store, context, () => {});
    const rebuild = dryRun ? ready : await swapReady(options, projection);
    const { version, position, old } = rebuild;
    const what = dryRun ? 'would become live' : 'is live';
    await printReport(
      context,
      { dryRun, rebuild },
      position,
      () => `${name}: version ${version} ${what}, at position ${groupDigits(position)}\n`,
    );
    if (dryRun) return 0;
    const canRollBack = typeof old?.position === 'number';
    await context.note(canRollBack ? describeWayBack(name, rebuild.keepOldUntil) : describeNoWayBack(name));
    return 0;
  },
};
