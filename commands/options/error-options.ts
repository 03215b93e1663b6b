/** What `run`, `rebuild`, `swap` and `rollback` are told to do with an event that cannot be handled, and what they say then. */

import type { Option } from 'commander';
import { shellWord } from '../../src/domain/shell-word.js';
import { groupDigits } from '../../src/output/numbers.js';
import type { ErrorHandling, OnError } from '../../src/projection/define/set-aside.js';
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
  return { policy: { onError, retries }, tellAside: createTeller(context) };
}

/** So many events of each projection are named; of the others there is a count, which is also in what the command prints last. */
const mostNamed = 3;
const countEveryMs = 5_000;

/** Not of what only waits: a stream may be long. */
function createTeller(context: Context): ErrorHandling['tellAside'] {
  const told = new Map<string, { events: number; isDue: boolean }>();
  return (aside, projection) => {
    if (aside.error === null) return;
    const known = told.get(projection) ?? { events: 0, isDue: false };
    told.set(projection, known);
    known.events += 1;
    if (known.events <= mostNamed) return void tell(aside, projection, context).catch(() => {});
    if (known.isDue) return;
    known.isDue = true;
    const timer = setTimeout(() => {
      known.isDue = false;
      const more = `${projection}: ${groupDigits(known.events)} events ${aside.state} so far`;
      context.warn(`${more}; see: evstore parked list ${shellWord(projection)}`).catch(() => {});
    }, countEveryMs);
    timer.unref();
  };
}

async function tell(aside: SetAside, projection: string, context: Context): Promise<void> {
  const { state, error, type, globalPosition } = aside;
  const [why = ''] = (error ?? '').split('\n', 1);
  const next = `evstore parked show ${shellWord(projection)} ${globalPosition}`;
  await context.warn(
    `${projection}: ${state} ${type} at position ${groupDigits(globalPosition)}: ${why.replace(/\.?$/, '.')} See: ${next}`,
  );
}
