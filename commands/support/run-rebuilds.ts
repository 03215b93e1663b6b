/** Runs planned rebuilds with their progress, and shows the report of each. */
import type { EvstoreError } from '../../src/domain/errors.js';
import { count } from '../../src/domain/words.js';
import { renderReport } from '../../src/output/json-line.js';
import {
  describeNextStep,
  describeProgress,
  describeReport,
  describeSteps,
  summariseReports,
  toReportJson,
} from '../../src/output/rebuild-text.js';
import type { VerifyOptions } from '../../src/projection/compare/verdict.js';
import type { RebuildProgress } from '../../src/projection/journal/steps.js';
import { type PlannedRebuild, rebuildPlanned } from '../../src/projection/rebuild/rebuild.js';
import type { RebuildReport } from '../../src/projection/rebuild/rebuilding.js';
import type { Store } from '../../src/store/store.js';
import type { Context, Flags } from '../options/command.js';
import { readSwapOptions } from '../options/swap-options.js';

/** @param parallel threads of each projection that allows several */
export async function runRebuilds(
  planned: readonly PlannedRebuild[],
  store: Store,
  parallel: number,
  flags: Flags,
  context: Context,
): Promise<readonly RebuildReport[]> {
  const names = planned.map(({ projection }) => projection.name);
  const progress = await context.progress(describeProgress({ projections: names }));
  const warnOnce = warnOfOutrun(context);
  const options = readSwapOptions(flags, store, context, (each) => {
    const { phase, position, target } = each;
    if (phase === 'outrun') warnOnce(each);
    else progress.update(position, { total: target, label: describeProgress(each), step: phase });
  });
  const settings = {
    ...options,
    swap: flags.swap !== false,
    verify: (flags.verify as VerifyOptions['verify'] | undefined) ?? 'count',
    maxDiff: flags.maxDiff as number | undefined,
    allowColumnChanges: flags.allowColumnChanges === true,
    parallel,
  };
  return rebuildPlanned(settings, planned).finally(() => progress.stop());
}

export async function showReports(
  reports: readonly RebuildReport[],
  elapsedMs: number,
  context: Context,
): Promise<void> {
  const { stdout } = context.io;
  if (context.asJson) {
    const ok = reports.every(({ outcome }) => outcome === 'swapped' || outcome === 'ready');
    const rebuilds = reports.map(toReportJson);
    await stdout.write(renderReport({ dryRun: false, rebuilds, elapsedMs: Math.round(elapsedMs), ok }));
  }
  for (const report of reports) {
    if (!context.asJson) await stdout.write(`${context.quiet ? report.position : describeReport(report)}\n`);
    const [steps, next] = [describeSteps(report), describeNextStep(report)];
    if (steps !== null) await context.note(steps);
    if (next !== null) await (report.outcome === 'interrupted' ? context.warn(next) : context.note(next));
  }
  await context.summarise(summariseReports(reports));
}

export function errorsOf(reports: readonly RebuildReport[]): readonly EvstoreError[] {
  return reports.flatMap(({ error }) => (error === null ? [] : [error]));
}

/** Warns once of each projection whose events are appended as fast as they are read. */
function warnOfOutrun(context: Context): (progress: RebuildProgress) => void {
  const warned = new Set<string>();
  return ({ projections: [name = ''], position, target }) => {
    if (warned.has(name)) return;
    warned.add(name);
    const left = count(target - position, 'position');
    context.warn(`${name}: events are appended as fast as they are read; ${left} left`).catch(() => {});
  };
}
