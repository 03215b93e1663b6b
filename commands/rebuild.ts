/** `evstore rebuild`: makes read models anew beside the live ones, and swaps them in. */

import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import {
  describeNextStep,
  describePlan,
  describeProgress,
  describeReport,
  describeSteps,
  summariseReports,
  toReportJson,
} from '../src/output/rebuild-text.js';
import type { VerifyOptions } from '../src/projection/compare/count-rows.js';
import type { RebuildMode } from '../src/projection/rebuild/plan.js';
import { type PlannedRebuild, planRebuilds, rebuildPlanned } from '../src/projection/rebuild/rebuild.js';
import type { RebuildReport } from '../src/projection/rebuild/rebuilding.js';
import type { Store } from '../src/store/store.js';
import { keepHeapSmall } from '../src/terminal/heap.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { readParallel, threadCount } from './options/parallel-option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption, progressOption, projectionsOption } from './options/shared-options.js';
import { keepOldFlag, readSwapOptions, switchFlags } from './options/swap-options.js';
import { isRepair, repair, repairFlags } from './repair.js';
import { failWithFirst } from './support/fail-with-first.js';
import { selectCode } from './support/projection-code.js';
import { showPlans } from './support/show-plans.js';

export const command: Command = {
  usage: 'rebuild [name...]',
  summary: 'make read models anew beside the live ones, and swap them in',
  writes: 'a second table beside each live one; then the two change names in one transaction',
  examples: [
    { line: 'evstore rebuild order_summary', purpose: 'fill, catch up, swap; goes on where it was interrupted' },
    { line: 'evstore rebuild order_summary --dry-run', purpose: 'what it would read, make, lock and take' },
    { line: 'evstore rebuild order_summary --no-swap', purpose: 'stop when it is ready: evstore swap order_summary' },
    { line: 'evstore rebuild order_summary --dry-run --check', purpose: 'whether it would make the same rows twice' },
    {
      line: 'evstore rebuild order_summary --verify full',
      purpose: 'swap only when no row differs from the live ones',
    },
    { line: 'evstore rebuild --all --max-diff 0', purpose: 'in one pass; keep what has other numbers of rows' },
  ],
  options: [
    option('--all', 'every projection; the log is read once for all tables'),
    option('--resume', 'go on with an unfinished rebuild, exit 6 without one').conflicts('restart'),
    option('--restart', 'give an unfinished rebuild up first'),
    option('--no-swap', 'stop when the new table is ready'),
    option('--verify <how>', 'none, count, full: every row (default: count)', oneOf('none', 'count', 'full')),
    option('--max-diff <rows>', 'do not swap when more rows differ (default with --verify full: 0)', wholeNumber(0)),
    keepOldFlag(),
    option(
      '--parallel <threads>',
      'threads for the handlers, 1–16; slows down light ones, gains where they take most of the time (default: 1)',
      threadCount,
    ),
    ...repairFlags(),
    ...switchFlags(),
    projectionsOption(),
    progressOption(),
    dryRunOption(),
    option('--check', 'with --dry-run: run the handlers over the log; exit 1 when a rebuild is not safe'),
  ],
  run: async (names, flags, context) => {
    if (isRepair(flags)) return repair(names, flags, context);
    assertNamed(names, flags);
    assertChecked(flags);
    const projections = await selectCode(context, flags, names);
    const parallel = await readParallel(projections, flags, context);
    const store = await context.openStore();
    const startedAt = performance.now();
    const planned = await planRebuilds(store, projections, modeOf(flags));
    if (flags.dryRun === true) return showPlans(planned, store, flags, context);
    for (const { plan } of planned)
      for (const line of plan === null ? [] : describePlan(plan)) await context.note(line);
    keepHeapSmall();
    const reports = await rebuild(planned, store, parallel, flags, context);
    await show(reports, performance.now() - startedAt, context);
    return failWithFirst(errorsOf(reports), context);
  },
};

async function rebuild(
  planned: readonly PlannedRebuild[],
  store: Store,
  parallel: number,
  flags: Flags,
  context: Context,
): Promise<readonly RebuildReport[]> {
  const progress = await context.progress(
    describeProgress({ projections: planned.map((each) => each.projection.name) }),
  );
  const outrun = new Set<string>();
  const options = readSwapOptions(flags, store, context, (each) => {
    const { phase, position, target, projections } = each;
    if (phase !== 'outrun')
      return progress.update(position, { total: target, label: describeProgress(each), step: phase });
    const [name = ''] = projections;
    if (outrun.has(name)) return;
    outrun.add(name);
    const gap = target - position;
    context.warn(`${name}: writers are as fast as the rebuild, ${gap} events are still to come`).catch(() => {});
  });
  try {
    return await rebuildPlanned(
      {
        ...options,
        swap: flags.swap !== false,
        verify: (flags.verify as VerifyOptions['verify'] | undefined) ?? 'count',
        maxDiff: flags.maxDiff as number | undefined,
        parallel,
      },
      planned,
    );
  } finally {
    progress.stop();
  }
}

async function show(reports: readonly RebuildReport[], elapsedMs: number, context: Context): Promise<void> {
  const { stdout } = context.io;
  if (context.asJson) {
    const ok = reports.every(({ outcome }) => outcome === 'swapped' || outcome === 'ready');
    const rebuilds = reports.map(toReportJson);
    await stdout.write(renderReport({ dryRun: false, rebuilds, elapsedMs: Math.round(elapsedMs), ok }));
  }
  for (const report of reports) {
    if (!context.asJson) {
      await stdout.write(`${context.quiet ? report.position : describeReport(report)}\n`);
    }
    const [steps, next] = [describeSteps(report), describeNextStep(report)];
    if (steps !== null) await context.note(steps);
    if (next !== null) await (report.outcome === 'interrupted' ? context.warn(next) : context.note(next));
  }
  await context.summarise(summariseReports(reports));
}

function errorsOf(results: readonly { readonly error: EvstoreError | null }[]): readonly EvstoreError[] {
  return results.flatMap(({ error }) => (error === null ? [] : [error]));
}

function modeOf(flags: Flags): RebuildMode {
  if (flags.resume === true) return 'resume';
  return flags.restart === true ? 'restart' : 'auto';
}

function assertNamed(names: readonly string[], flags: Flags): void {
  const all = flags.all === true;
  if (names.length > 0 !== all) return;
  throw new EvstoreError('E_USAGE', all ? 'give names or --all, not both' : 'which projection is to be rebuilt?', {
    why: 'A rebuild is asked for by name, or for every projection with --all.',
    next: 'evstore projections',
  });
}

function assertChecked({ check, dryRun }: Flags): void {
  if (check !== true || dryRun === true) return;
  throw new EvstoreError('E_USAGE', '--check needs --dry-run', {
    why: 'It runs the handlers over the log and writes nothing.',
    next: 'evstore rebuild --help',
  });
}
