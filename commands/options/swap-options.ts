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
    option('--lock-timeout <duration>', 'how long one attempt waits for the table locks (default: 1s)', duration),
    option('--max-wait <duration>', 'repeat attempts for this long (default: 60s)', duration),
    option(
      '--batch-size <events>',
      'events in one transaction (default: about a quarter of a second of work)',
      wholeNumber(1),
    ),
    ...errorFlags(),
  ];
}

export function keepOldFlag(): Option {
  return option('--keep-old <duration>', 'keep the old tables this long for a rollback (default: 24h)', duration);
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
