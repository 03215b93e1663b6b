/** Options of the commands that swap tables, or work on those of a rebuild. */

import type { Option } from 'commander';
import type { Patience } from '../../src/lease/acquire.js';
import { ownerName } from '../../src/lease/owner.js';
import type { RebuildProgress } from '../../src/projection/journal/steps.js';
import type { SwapOptions } from '../../src/projection/swap/swap.js';
import type { TableSwapOptions } from '../../src/projection/swap/swap-tables.js';
import type { Store } from '../../src/store/store.js';
import type { Context, Flags } from './command.js';
import { errorFlags, readErrorHandling } from './error-options.js';
import { option } from './option.js';
import { duration, wholeNumber } from './parse-option.js';

const defaultLockTimeoutMs = 1_000;
const defaultMaxWaitMs = 60_000;
const defaultKeepOldMs = 24 * 3_600_000;

export function tableSwapFlags(): readonly Option[] {
  return [
    option('--lock-timeout <duration>', 'how long one attempt waits for the table locks (default: 1s)', duration),
    maxWaitFlag('repeat attempts for this long'),
    batchSizeFlag(),
    ...errorFlags(),
  ];
}

export function keepOldFlag(): Option {
  return option('--keep-old <duration>', 'keep the old tables this long for a rollback (default: 24h)', duration);
}

export function columnChangesFlag(): Option {
  return option('--allow-column-changes', 'accept columns that only the live or only the rebuilt table has');
}

export function yesEmptyFlag(): Option {
  return option('--yes-empty', 'let a rebuild that read no event replace live rows');
}

export function readMaxWait(flags: Flags): number {
  return (flags.maxWait as number | undefined) ?? defaultMaxWaitMs;
}

export function maxWaitFlag(what: string): Option {
  return option('--max-wait <duration>', `${what} (default: 60s)`, duration);
}

/** Waits for the lease of a process that may have died, and says so. */
export function readPatience(flags: Flags, context: Context): Patience {
  return {
    maxWaitMs: readMaxWait(flags),
    tellWaiting: ({ name, owner, expiresInMs }) => {
      const seconds = Math.ceil(expiresInMs / 1000);
      const what = `waiting for ${name}: the lease of ${owner} ends in ${seconds} s unless it is renewed`;
      void context.note(what).catch(() => {});
    },
  };
}

export function batchSizeFlag(): Option {
  const what = 'events in one transaction (default: about a quarter of a second of work)';
  return option('--batch-size <events>', what, wholeNumber(1));
}

export function readTableSwapOptions(flags: Flags, store: Store, context: Context): TableSwapOptions {
  return {
    store,
    owner: ownerName(),
    patience: readPatience(flags, context),
    lockTimeoutMs: (flags.lockTimeout as number | undefined) ?? defaultLockTimeoutMs,
    maxWaitMs: readMaxWait(flags),
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
  return { ...readTableSwapOptions(flags, store, context), keepOldMs, progress, allowEmpty: flags.yesEmpty === true };
}
