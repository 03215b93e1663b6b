/** `evstore swap`: swaps in a rebuild that is ready. */
import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { describeNoWayBack } from '../src/output/rebuild-text.js';
import { findReady } from '../src/projection/compare/diff.js';
import { swapReady } from '../src/projection/swap/swap.js';
import type { Command } from './options/command.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { keepOldFlag, readSwapOptions, tableSwapFlags } from './options/swap-options.js';
import { selectCode } from './support/projection-code.js';

export const command: Command = {
  usage: 'swap <name>',
  writes: 'events since the rebuild; then swaps the tables in one transaction',
  examples: [{ line: 'evstore swap order_summary', purpose: 'swap after evstore rebuild order_summary --no-swap' }],
  options: [keepOldFlag(), ...tableSwapFlags(), projectionsOption(), dryRunOption()],
  run: async (names, flags, context) => {
    const [projection] = await selectCode(context, flags, names);
    if (projection === undefined) throw new EvstoreError('E_BUG', 'no projection was chosen');
    const store = await context.openStore();
    const ready = await findReady(store, projection);
    const dryRun = flags.dryRun === true;
    const rebuild = dryRun
      ? ready
      : await swapReady(
          readSwapOptions(flags, store, context, () => {}),
          projection,
        );
    if (context.asJson) await context.io.stdout.write(renderReport({ dryRun, rebuild }));
    else if (context.quiet) await context.io.stdout.write(`${rebuild.position}\n`);
    else {
      const what = dryRun ? 'would become live' : 'is live';
      await context.io.stdout.write(
        `${projection.name}: version ${rebuild.version} ${what}, at position ${rebuild.position}\n`,
      );
      if (dryRun) return 0;
      const isLevel = typeof rebuild.old?.position === 'number';
      await context.note(
        isLevel ? `undo it with: evstore rollback ${projection.name}` : describeNoWayBack(projection.name),
      );
    }
    return 0;
  },
};
