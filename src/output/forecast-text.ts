/** What a rebuild would take, in words. */
import type { Amount, RebuildForecast } from '../projection/rebuild/forecast.js';
import type { RebuildPlanned } from '../projection/rebuild/plan.js';
import { formatDuration } from './relative-time.js';

/** One line a fact, to stand below the plan. */
export function describeForecast(plan: RebuildPlanned, forecast: RebuildForecast): readonly string[] {
  const { matching, rows, bytes, freeBytes, swap, rollback } = forecast;
  if (plan.builtTarget !== null) return describeOutside(plan, plan.builtTarget, forecast);
  const made = plan.names.map(({ built }) => built).join(', ');
  const kept = plan.names.map(({ old }) => old).join(', ');
  const size =
    rows === null || bytes === null ? 'nothing is live yet' : `${describe(rows, 'row')}, ${formatBytes(bytes)}`;
  return [
    `  ${describe(matching, 'event')} to read`,
    ...(made === '' ? [] : [`  makes ${made}${swap === null ? '' : `; the swap keeps the live one as ${kept}`}`]),
    `  size as of the live one: ${size}${freeBytes === null ? '' : `; ${formatBytes(freeBytes)} free`}`,
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
    `  makes ${target}, outside this store`,
    swap === null ? '  no swap' : `  swap: promotes it${replaced}, by the code of the projection`,
    describeRollback(plan, rollback),
  ];
}

/** Null when there is room, or nobody knows. */
export function describeShortage(projection: string, { bytes, freeBytes }: RebuildForecast): string | null {
  if (bytes === null || freeBytes === null || bytes < freeBytes) return null;
  return `${projection}: the new table may take ${formatBytes(bytes)}, and ${formatBytes(freeBytes)} are free`;
}

/** `850 B`, `12 kB`, `3.4 GB`. @param bytes from 0 */
function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1_000 && unit < units.length - 1) [size, unit] = [size / 1_000, unit + 1];
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

function describe({ amount, how }: Amount, one: string): string {
  const things = `${amount} ${amount === 1 ? one : `${one}s`}`;
  return how === 'counted' ? things : `about ${things} (${how})`;
}

function describeSwap({ locks, lockTimeoutMs, maxWaitMs }: NonNullable<RebuildForecast['swap']>): string {
  const what = locks.map(({ what, mode }) => `${what} (${mode})`).join(', ');
  const patience = `waits for it ${formatDuration(lockTimeoutMs)} an attempt, ${formatDuration(maxWaitMs)} in all`;
  return `  swap: locks ${what}; ${patience}, and changes names only`;
}

function describeRollback(
  { code, parts }: RebuildPlanned,
  { possible, keepOldMs, version, caughtUp }: RebuildForecast['rollback'],
): string {
  if (!possible) return '  rollback: not once gc has run, --keep-old is 0';
  const how = caughtUp ? 'caught up' : `caught up where the code of version ${version} is loaded`;
  const what = code === null ? 'to an empty table' : `to version ${version}, ${how}`;
  const provided = parts === 1 ? '' : `; only if its ${parts} parts are at one position at the swap`;
  return `  rollback: for ${formatDuration(keepOldMs)} after the swap, ${what}${provided}`;
}
