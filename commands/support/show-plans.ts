/** `evstore rebuild --dry-run`: shows each plan and what it would take, and with `--check` if it is safe. */
import { EvstoreError } from '../../src/domain/errors.js';
import { describeCheck, describeFault } from '../../src/output/check-text.js';
import { describeForecast, describeShortage } from '../../src/output/forecast-text.js';
import { renderReport } from '../../src/output/json-line.js';
import { describePlan, toErrorJson } from '../../src/output/rebuild-text.js';
import { checkProjection, type ProjectionCheck } from '../../src/projection/check-handlers/check.js';
import { isExternalProjection, type PreparedProjection } from '../../src/projection/define/prepare.js';
import { forecastRebuild } from '../../src/projection/rebuild/forecast.js';
import type { PlannedRebuild } from '../../src/projection/rebuild/rebuild.js';
import type { Store } from '../../src/store/store.js';
import { sanitiseLines } from '../../src/terminal/sanitise.js';
import type { Context, Flags } from '../options/command.js';
import { readSwapOptions } from '../options/swap-options.js';
import { failWithFirst } from './fail-with-first.js';

export async function showPlans(
  planned: readonly PlannedRebuild[],
  store: Store,
  flags: Flags,
  context: Context,
): Promise<number> {
  const options = { ...readSwapOptions(flags, store, context, () => {}), swap: flags.swap !== false };
  const asJson = context.asJson;
  const rebuilds: unknown[] = [];
  const errors: EvstoreError[] = [];
  for (const { projection, plan, error } of planned) {
    const forecast = plan === null ? null : await forecastRebuild(store, plan, projection.filter, options);
    const check = flags.check === true ? await runCheck(projection, store, context) : null;
    if (error !== null) errors.push(error);
    if (check !== null && !check.safe) errors.push(unsafe(projection.name, check));
    rebuilds.push({
      ...(plan === null ? { projection: projection.name, error: toErrorJson(error) } : plan),
      ...forecast,
      ...(flags.check === true && { check }),
    });
    if (asJson) continue;
    const lines = [
      ...(plan === null ? [`rebuild ${projection.name}: not possible`] : describePlan(plan)),
      ...(plan === null || forecast === null ? [] : describeForecast(plan, forecast)),
      ...(check === null ? [] : describeCheck(check)),
    ];
    await context.io.stdout.write(`${sanitiseLines(lines.join('\n'))}\n`);
    const shortage = forecast === null ? null : describeShortage(projection.name, forecast);
    if (shortage !== null) await context.warn(shortage);
  }
  if (asJson) await context.io.stdout.write(renderReport({ dryRun: true, rebuilds }));
  return failWithFirst(errors, context);
}

async function runCheck(
  projection: PreparedProjection,
  store: Store,
  context: Context,
): Promise<ProjectionCheck | null> {
  const { name } = projection;
  if (isExternalProjection(projection)) {
    await context.note(`${name} is not checked: its handlers write to another system`);
    return null;
  }
  const progress = await context.progress(`check ${name}`);
  try {
    return await checkProjection({
      store,
      projection,
      signal: context.io.signal,
      progress: (position, target) => progress.update(position, { total: target }),
    });
  } finally {
    progress.stop();
  }
}

function unsafe(name: string, { faults }: ProjectionCheck): EvstoreError {
  const [first] = faults;
  return new EvstoreError('E_CHECK_FAILED', `a rebuild of ${name} is not safe`, {
    why:
      first === undefined
        ? undefined
        : `${describeFault(first)}${faults.length > 1 ? `; ${faults.length - 1} more` : ''}.`,
    details: { projection: name, faults },
  });
}
