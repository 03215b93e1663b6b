/** What `run`, `rebuild`, `swap` and `rollback` are told to do with an event that cannot be handled, and what they say then. */

import type { Option } from 'commander';
import type { ErrorHandling, OnError } from '../../src/projection/catch-up/error-policy.js';
import type { SetAside } from '../../src/store/store.js';
import type { Context, Flags } from './command.js';
import { option } from './option.js';
import { oneOf, wholeNumber } from './parse-option.js';

export function errorFlags(): readonly Option[] {
  return [
    option(
      '--on-error <what>',
      'if an event cannot be handled: stop before it, park it and later events of its stream, or skip it (default: stop)',
      oneOf('stop', 'park', 'skip'),
    ),
    option('--retries <times>', 'retry an event this many times first (default: 0)', wholeNumber(0)),
  ];
}

export function readErrorHandling(flags: Flags, context: Context): ErrorHandling {
  const onError = (flags.onError as OnError | undefined) ?? 'stop';
  const retries = (flags.retries as number | undefined) ?? 0;
  return { policy: { onError, retries }, tellAside: (...aside) => void tell(aside, context).catch(() => {}) };
}

/** Not of what only waits: a stream may be long. */
async function tell([aside, projection]: readonly [SetAside, string], context: Context): Promise<void> {
  const { state, error, type, globalPosition } = aside;
  if (error === null) return;
  const [why = ''] = error.split('\n', 1);
  const next = `evstore parked show ${projection} ${globalPosition}`;
  await context.warn(
    `${projection}: ${state} ${type} at position ${globalPosition}: ${why.replace(/\.?$/, '.')} See: ${next}`,
  );
}
