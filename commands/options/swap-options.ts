/** What `rebuild`, `swap` and `rollback` share: how long they may wait for the tables, and how they show progress. */

import type { Option } from 'commander';
import { ownerName } from '../../src/lease/owner.js';
import type { RebuildProgress } from '../../src/projection/journal/rebuild-steps.js';
import type { SwapOptions } from '../../src/projection/swap/swap.js';
import type { SwitchOptions } from '../../src/projection/swap/switch-tables.js';
import type { Store } from '../../src/store/store.js';
import type { Context, Flags } from './command.js';
import { errorFlags, readErrorHandling } from './error-options.js';
import { option } from './option.js';
import { duration, wholeNumber } from './parse-option.js';

const defaultLockTimeoutMs = 1_000;
const defaultMaxWaitMs = 60_000;
const defaultKeepOldMs = 24 * 3_600_000;

export function switchFlags(): readonly Option[] {
  return [
    option('--lock-timeout <duration>', 'one attempt at the locks of the tables (default: 1s)', duration),
    option('--max-wait <duration>', 'attempts are repeated for so long (default: 60s)', duration),
    option('--batch-size <events>', 'events a transaction (default: what a quarter of a second takes)', wholeNumber(1)),
    ...errorFlags(),
  ];
}

export function keepOldFlag(): Option {
  return option('--keep-old <duration>', 'keep the replaced tables for a rollback (default: 24h)', duration);
}

export function readSwitchOptions(
  flags: Flags,
  store: Store,
  context: Context,
): SwitchOptions & { batchSize: number | undefined } {
  return {
    store,
    owner: ownerName(),
    lockTimeoutMs: (flags.lockTimeout as number | undefined) ?? defaultLockTimeoutMs,
    maxWaitMs: (flags.maxWait as number | undefined) ?? defaultMaxWaitMs,
    batchSize: flags.batchSize as number | undefined,
    signal: context.io.signal,
    ...readErrorHandling(flags, context),
  };
}

export function readSwapOptions(
  flags: Flags,
  store: Store,
  context: Context,
  progress: (progress: RebuildProgress) => void,
): SwapOptions {
  const keepOldMs = (flags.keepOld as number | undefined) ?? defaultKeepOldMs;
  return { ...readSwitchOptions(flags, store, context), keepOldMs, progress };
}
