/** `evstore wait`: returns when read models contain what was written. */

import { EvstoreError } from '../src/domain/errors.js';
import { judgeReaders } from '../src/findings/examine.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import { waitForProjections } from '../src/projection/status/wait.js';
import type { Store } from '../src/store/store.js';
import type { Command, Flags } from './options/command.js';
import { option } from './options/option.js';
import { duration, uuid, wholeNumber } from './options/parse-option.js';

const defaultTimeoutMs = 5_000;

export const command: Command = {
  usage: 'wait <name...>',
  writes: 'nothing',
  examples: [
    { line: 'evstore wait order_summary', purpose: 'wait until it has processed every event now in the log' },
    {
      line: 'evstore wait order_summary --position 4711',
      purpose: 'wait until it has processed the event at that position',
    },
    { line: 'evstore wait order_summary stock --timeout 30s', purpose: 'exit 7 if it takes longer' },
  ],
  options: [
    option('--position <position>', 'global position to wait for (default: the head)', wholeNumber(0)).conflicts(
      'event',
    ),
    option('--event <id>', 'id of the event to wait for', uuid),
    option('--timeout <duration>', 'give up after this long (default: 5s)', duration),
  ],
  run: async (names, flags, context) => {
    const store = await context.openStore();
    const position = await positionOf(store, flags);
    const timeoutMs = (flags.timeout as number | undefined) ?? defaultTimeoutMs;
    const waited = await waitForProjections({
      store,
      names,
      position,
      timeoutMs,
      signal: context.io.signal,
      judge: judgeReaders(store, context.io.now),
    });
    if (context.asJson) {
      await context.io.stdout.write(renderReport({ position, projections: waited }));
    } else for (const each of waited) await context.note(`${each.name}: at position ${groupDigits(each.position)}`);
    return 0;
  },
};

async function positionOf(store: Store, flags: Flags): Promise<number> {
  if (flags.position !== undefined) return Number(flags.position);
  if (flags.event === undefined) return (await store.log.head()).head;
  const id = String(flags.event);
  const event = await store.log.find(id);
  if (event === undefined)
    throw new EvstoreError('E_NOT_FOUND', `no event has the id ${id}`, { next: 'evstore read --backwards -n 10' });
  return event.globalPosition;
}
