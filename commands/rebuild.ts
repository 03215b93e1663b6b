/** `evstore rebuild`: rebuilds read models alongside the live ones, then swaps them in. */
import { EvstoreError } from '../src/domain/errors.js';
import { describePlan } from '../src/output/rebuild-text.js';
import type { RebuildMode } from '../src/projection/rebuild/plan.js';
import { planRebuilds } from '../src/projection/rebuild/rebuild.js';
import { keepHeapSmall } from '../src/terminal/heap.js';
import type { Command, Flags } from './options/command.js';
import { option } from './options/option.js';
import { readParallel, threadCount } from './options/parallel-option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { assertNamedOrAll, dryRunOption, progressOption, projectionsOption } from './options/shared-options.js';
import { columnChangesFlag, keepOldFlag, tableSwapFlags, yesEmptyFlag } from './options/swap-options.js';
import { failWithFirst } from './support/fail-with-first.js';
import { selectCode } from './support/projection-code.js';
import { errorsOf, runRebuilds, showReports } from './support/run-rebuilds.js';
import { showPlans } from './support/show-plans.js';
import { withWayPast } from './support/way-past.js';

export const command: Command = {
  usage: 'rebuild [name...]',
  writes: 'a second table alongside each live one; then swaps them in one transaction',
  examples: [
    { line: 'evstore rebuild order_summary', purpose: 'fill, catch up and swap; resumes an interrupted rebuild' },
    {
      line: 'evstore rebuild order_summary --dry-run',
      purpose: 'show what it would read, create and lock, and how long it takes',
    },
    {
      line: 'evstore rebuild order_summary --no-swap',
      purpose: 'stop before the swap; later: evstore swap order_summary',
    },
    {
      line: 'evstore rebuild order_summary --dry-run --check',
      purpose: 'check that the handlers make the same rows twice',
    },
    {
      line: 'evstore rebuild order_summary --verify full',
      purpose: 'swap only if no row differs from the live table',
    },
    {
      line: 'evstore rebuild --all --max-diff 0',
      purpose: 'rebuild all in one pass; swap none whose number of rows changes',
    },
  ],
  options: [
    option('--all', 'rebuild every projection; reads the log once for all'),
    option('--resume', 'resume an unfinished rebuild (exit 6 if there is none)').conflicts('restart'),
    option('--restart', 'drop an unfinished rebuild first'),
    option('--no-swap', 'stop before the swap'),
    option(
      '--verify <how>',
      'check before the swap: none, count, full (every row) (default: count)',
      oneOf('none', 'count', 'full'),
    ),
    option(
      '--max-diff <rows>',
      'do not swap if more than this many rows differ (default with --verify full: 0)',
      wholeNumber(0),
    ),
    columnChangesFlag(),
    keepOldFlag(),
    yesEmptyFlag(),
    option(
      '--parallel <threads>',
      'threads for the handlers, 1 to 16; helps only if handlers are slow (default: 1)',
      threadCount,
    ),
    ...tableSwapFlags(),
    projectionsOption(),
    progressOption(),
    dryRunOption(),
    option('--check', 'with --dry-run: run the handlers over the log; exit 1 if a rebuild is not safe'),
  ],
  run: async (names, flags, context) => {
    assertNamedOrAll(names, flags);
    assertChecked(flags);
    const projections = await selectCode(context, flags, names);
    const parallel = await readParallel(projections, flags, context);
    const store = await context.openStore();
    const startedAt = performance.now();
    const planned = await planRebuilds(store, projections, modeOf(flags));
    if (flags.dryRun === true) return showPlans(planned, store, flags, context);
    const plans = planned.flatMap(({ plan }) => plan ?? []);
    for (const line of plans.flatMap(describePlan)) await context.note(line);
    keepHeapSmall();
    const reports = await runRebuilds(planned, store, parallel, flags, context);
    await showReports(reports, performance.now() - startedAt, context);
    return failWithFirst(
      errorsOf(reports).map((error) => withWayPast(error, flags, context)),
      context,
    );
  },
};

function modeOf(flags: Flags): RebuildMode {
  if (flags.resume === true) return 'resume';
  return flags.restart === true ? 'restart' : 'auto';
}

function assertChecked({ check, dryRun }: Flags): void {
  if (check !== true || dryRun === true) return;
  throw new EvstoreError('E_USAGE', '--check needs --dry-run', {
    why: 'A check runs the handlers over the log without writing anything.',
    next: 'evstore rebuild --all --dry-run --check',
  });
}
