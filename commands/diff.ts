/** `evstore diff`: shows what a swap would change, row by row. */

import { checkpointsOf, furthestOf } from '../src/lease/checkpoints.js';
import { groupDigits } from '../src/output/numbers.js';
import { diffReady } from '../src/projection/compare/diff.js';
import { isAllowed } from '../src/projection/compare/verdict.js';
import type { PreparedProjection } from '../src/projection/define/prepare.js';
import { findReady } from '../src/projection/journal/find.js';
import type { Store } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { errorFlags } from './options/error-options.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { batchSizeFlag, columnChangesFlag, maxWaitFlag, readTableSwapOptions } from './options/swap-options.js';
import { printReport } from './support/print-report.js';
import { selectOne } from './support/projection-code.js';

const defaultSamples = 10;

export const command: Command = {
  usage: 'diff <name>',
  writes: 'events since the rebuild to the built table; nothing to the live table',
  examples: [
    { line: 'evstore diff order_summary', purpose: 'compare after evstore rebuild order_summary --no-swap' },
    {
      line: 'evstore diff order_summary --max-diff 100 -q',
      purpose: 'print the number of differences; exit 1 if over 100',
    },
  ],
  options: [
    option('--max-diff <rows>', 'exit 1 if more than this many rows differ (default: 0)', wholeNumber(0)),
    columnChangesFlag(),
    option('--samples <rows>', 'how many rows to show of each kind (default: 10)', wholeNumber(0)),
    maxWaitFlag('give up if the tables are not at one position after this long'),
    batchSizeFlag(),
    ...errorFlags(),
    projectionsOption(),
    dryRunOption(),
  ],
  run: async ([name = ''], flags, context) => {
    const projection = await selectOne(context, flags, name);
    const store = await context.openStore();
    if (flags.dryRun === true) return describePlan(store, projection, context);
    const maxDiff = (flags.maxDiff as number | undefined) ?? 0;
    const allowColumnChanges = flags.allowColumnChanges === true;
    const samples = (flags.samples as number | undefined) ?? defaultSamples;
    const diff = await diffReady({ ...readTableSwapOptions(flags, store, context), projection, samples });
    const { renderDiff, summariseDiff } = await import('../src/output/diff-text.js');
    const judged = { ...diff, maxDiff, allowColumnChanges };
    await printReport(context, { dryRun: false, ...judged }, diff.differences, () => renderDiff(diff, context.view));
    await context.summarise(summariseDiff(diff));
    await context.note(
      `swap it in with: evstore swap ${diff.projection}, or drop it with: evstore abort ${diff.projection}`,
    );
    return isAllowed(judged) && diff.faults.length === 0 ? 0 : 1;
  },
};

async function describePlan(store: Store, projection: PreparedProjection, context: Context): Promise<number> {
  const { name } = projection;
  const { id, version, position } = await findReady(store, projection);
  const livePosition = furthestOf(checkpointsOf(await store.projections.checkpoints(), name)) ?? null;
  const report = { dryRun: true, projection: name, rebuild: id, version, position, livePosition };
  const live =
    livePosition === null ? 'there are no live rows' : `the live rows are at position ${groupDigits(livePosition)}`;
  const text = `${name}: would compare rebuild ${id}, which is at position ${groupDigits(position)}; ${live}\n`;
  await printReport(context, report, position, () => text);
  return 0;
}
