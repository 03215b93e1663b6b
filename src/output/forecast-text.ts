/** Describes what a rebuild would take. */

import { formatDuration } from '../domain/duration.js';
import { count } from '../domain/words.js';
import type { Amount, RebuildForecast } from '../projection/rebuild/forecast.js';
import type { RebuildPlanned } from '../projection/rebuild/plan.js';
import { formatBytes } from './numbers.js';

/** Returns one line for each fact, to be printed below the plan. */
export function describeForecast(plan: RebuildPlanned, forecast: RebuildForecast): readonly string[] {
  const { matching, rows, bytes, freeBytes, swap, rollback } = forecast;
  if (plan.builtTarget !== null) return describeOutside(plan, plan.builtTarget, forecast);
  const made = plan.names.map(({ built }) => built).join(', ');
  const kept = plan.names.map(({ old }) => old).join(', ');
  const size =
    rows === null || bytes === null ? 'no live table yet' : `${describe(rows, 'row')}, ${formatBytes(bytes)}`;
  return [
    `  ${describe(matching, 'event')} to read`,
    ...(made === '' ? [] : [`  creates ${made}${swap === null ? '' : `; the swap keeps the live one as ${kept}`}`]),
    `  size of the live one: ${size}${freeBytes === null ? '' : `; ${formatBytes(freeBytes)} free`}`,
    swap === null ? '  no swap' : describeSwap(swap),
    describeRollback(plan, rollback),
  ];
}

function describeOutside(
  plan: RebuildPlanned,
  target: string,
  { matching, swap, rollback }: RebuildForecast,
): readonly string[] {
  const replaced = plan.liveTarget === null ? '' : `, in place of ${plan.liveTarget}`;
  return [
    `  ${describe(matching, 'event')} to read`,
    `  creates ${target}, outside this store`,
    swap === null ? '  no swap' : `  swap: the code of the projection promotes it${replaced}`,
    describeRollback(plan, rollback),
  ];
}

/** Returns null when there is enough space, or the free space is unknown. */
export function describeShortage(projection: string, { bytes, freeBytes }: RebuildForecast): string | null {
  if (bytes === null || freeBytes === null || bytes < freeBytes) return null;
  return `${projection}: the new table may take ${formatBytes(bytes)}, but only ${formatBytes(freeBytes)} are free`;
}

function describe({ amount, how }: Amount, one: string): string {
  const things = count(amount, one);
  return how === 'counted' ? things : `about ${things} (${how})`;
}

function describeSwap({ locks, lockTimeoutMs, maxWaitMs }: NonNullable<RebuildForecast['swap']>): string {
  const what = locks.map(({ what, mode }) => `${what} (${mode})`).join(', ');
  const patience = `waits ${formatDuration(lockTimeoutMs)} per attempt, ${formatDuration(maxWaitMs)} in total`;
  return `  swap: locks ${what}; ${patience}; only names change`;
}

function describeRollback(
  { code, parts }: RebuildPlanned,
  { possible, keepOldMs, version, caughtUp }: RebuildForecast['rollback'],
): string {
  if (!possible) return '  rollback: none after evstore gc, because --keep-old is 0';
  const how = caughtUp ? 'caught up' : `caught up if the code of version ${version} is loaded`;
  const what = code === null ? 'to an empty table' : `to version ${version}, ${how}`;
  const provided = parts === 1 ? '' : `; only if its ${parts} parts are at one position at the swap`;
  return `  rollback: for ${formatDuration(keepOldMs)} after the swap, ${what}${provided}`;
}
