/** `evstore rebuild`: makes read models anew beside the live ones, and swaps them in. */
import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { describeNextStep, describePlan, describeReport } from '../src/output/rebuild-text.js';
import { planRebuild, type RebuildMode } from '../src/projection/plan-rebuild.js';
import type { PreparedProjection } from '../src/projection/prepare.js';
import { gatherFacts, type RebuildReport, rebuildProjection } from '../src/projection/rebuild.js';
import type { Store } from '../src/store/store.js';
import { type Command, type Flags, option } from './command.js';
import type { Context } from './context.js';
import { oneOf, wholeNumber } from './parse-option.js';
import { selectCode } from './projection-code.js';
import { dryRunOption, progressOption, projectionsOption } from './shared-options.js';
import { keepOldFlag, readSwapOptions, switchFlags } from './swap-options.js';

export const command: Command = {
  usage: 'rebuild [name...]',
  summary: 'make a read model anew beside the live one, and swap it in',
  writes: 'a second table beside the live one; then the two change names in one transaction',
  examples: [
    { line: 'evstore rebuild order_summary', purpose: 'fill, catch up, swap; goes on where it was interrupted' },
    { line: 'evstore rebuild order_summary --dry-run', purpose: 'what it would do' },
    { line: 'evstore rebuild order_summary --no-swap', purpose: 'stop when it is ready: evstore swap order_summary' },
    { line: 'evstore rebuild --all --max-diff 0', purpose: 'one after the other; keep what has other numbers of rows' },
  ],
  options: [
    option('--all', 'every projection, one after the other'),
    option('--resume', 'go on with an unfinished rebuild, exit 6 without one').conflicts('restart'),
    option('--restart', 'give an unfinished rebuild up first'),
    option('--no-swap', 'stop when the new table is ready'),
    option('--verify <how>', 'none, count (default: count)', oneOf('none', 'count')),
    option('--max-diff <rows>', 'do not swap when the numbers of rows differ by more', wholeNumber(0)),
    keepOldFlag(),
    ...switchFlags(),
    projectionsOption(),
    progressOption(),
    dryRunOption(),
  ],
  run: async (names, flags, context) => {
    assertNamed(names, flags);
    const projections = await selectCode(context, flags, names);
    const store = await context.openStore();
    const asJson = context.format({ people: 'table', pipe: 'table' }) === 'json';
    const done: unknown[] = [];
    for (const projection of projections) {
      if (context.io.signal.aborted) break;
      const plan = planRebuild(await gatherFacts({ store, projection }), modeOf(flags));
      const planned = describePlan(plan);
      if (flags.dryRun === true) {
        done.push(plan);
        if (!asJson) await context.io.stdout.write(`${planned.join('\n')}\n`);
        continue;
      }
      for (const line of planned) await context.note(line);
      const report = await rebuild(projection, store, flags, context);
      done.push(report);
      if (asJson) continue;
      if (context.quiet) await context.io.stdout.write(`${report.position}\n`);
      else await context.io.stdout.write(`${describeReport(report)}\n`);
      const nextStep = describeNextStep(report);
      if (nextStep !== null) await context.note(nextStep);
    }
    if (asJson) await context.io.stdout.write(renderReport({ dryRun: flags.dryRun === true, rebuilds: done }));
    return 0;
  },
};

async function rebuild(
  projection: PreparedProjection,
  store: Store,
  flags: Flags,
  context: Context,
): Promise<RebuildReport> {
  const { name } = projection;
  const progress = await context.progress(`rebuild ${name}`);
  let isOutrun = false;
  const options = readSwapOptions(flags, store, context, ({ phase, position, target }) => {
    progress.update(position, target);
    if (phase !== 'outrun' || isOutrun) return;
    isOutrun = true;
    const gap = target - position;
    context.warn(`${name}: writers are as fast as the rebuild, ${gap} events are still to come`).catch(() => {});
  });
  try {
    const report = await rebuildProjection({
      ...options,
      projection,
      mode: modeOf(flags),
      swap: flags.swap !== false,
      verify: (flags.verify as 'none' | 'count' | undefined) ?? 'count',
      maxDiff: flags.maxDiff as number | undefined,
    });
    progress.stop();
    if (report.outcome === 'interrupted') {
      await context.warn(
        `the live table is untouched; go on with: evstore rebuild ${name} --resume, or drop it with: evstore abort ${name}`,
      );
    }
    return report;
  } finally {
    progress.stop();
  }
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
