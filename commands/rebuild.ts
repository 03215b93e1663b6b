/** `evstore rebuild`: rebuilds read models alongside the live ones, then swaps them in. */
import { EvstoreError } from '../src/domain/errors.js';
import { count } from '../src/domain/words.js';
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
import type { VerifyOptions } from '../src/projection/compare/verdict.js';
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
import { keepOldFlag, readSwapOptions, tableSwapFlags } from './options/swap-options.js';
import { failWithFirst } from './support/fail-with-first.js';
import { selectCode } from './support/projection-code.js';
import { showPlans } from './support/show-plans.js';

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
    keepOldFlag(),
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
    context
      .warn(`${name}: events are appended as fast as they are read; ${count(gap, 'position')} left`)
      .catch(() => {});
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
  throw new EvstoreError('E_USAGE', all ? 'names and --all cannot be combined' : 'no projection was named', {
    why: 'Name the projections to rebuild, or use --all for every projection.',
    next: 'evstore projections',
  });
}

function assertChecked({ check, dryRun }: Flags): void {
  if (check !== true || dryRun === true) return;
  throw new EvstoreError('E_USAGE', '--check needs --dry-run', {
    why: 'A check runs the handlers over the log without writing anything.',
    next: 'evstore rebuild --all --dry-run --check',
  });
}
