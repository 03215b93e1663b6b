/** Finds the position to which a checkpoint is moved by hand. */

import { EvstoreError } from '../../domain/errors.js';
import { groupDigits } from '../../domain/numbers.js';
import type { EventLog } from '../../store/store.js';

/** Exactly one of these. */
export interface Destination {
  readonly toStart?: boolean | undefined;
  readonly toHead?: boolean | undefined;
  readonly to?: number | undefined;
  /** RFC 3339: after the last event before it. */
  readonly toTime?: string | undefined;
  /** Positions forward, or back when negative; stops at the ends of the log. */
  readonly shift?: number | undefined;
}

/**
 * @throws E_USAGE without a destination or with two
 * @throws E_INVALID_INPUT for a position beyond the safe head, which would hide events
 */
export async function findPosition(log: EventLog, current: number, destination: Destination): Promise<number> {
  const given = Object.values(destination).filter((value) => value !== undefined && value !== false);
  if (given.length !== 1) {
    throw new EvstoreError(
      'E_USAGE',
      given.length === 0 ? 'no target position given' : 'more than one target position',
      {
        why: 'Give exactly one of --to, --to-start, --to-head, --to-time and --shift.',
        next: 'evstore checkpoints set --help',
      },
    );
  }
  const { safeHead } = await log.head();
  const { toHead, to, toTime, shift } = destination;
  if (toHead === true) return safeHead;
  if (shift !== undefined) return Math.min(safeHead, Math.max(0, current + shift));
  if (toTime !== undefined) return (await lastBefore(log, toTime)) ?? safeHead;
  if (to === undefined) return 0;
  if (to <= safeHead) return to;
  throw new EvstoreError(
    'E_INVALID_INPUT',
    `position ${groupDigits(to)} is beyond the safe head, ${groupDigits(safeHead)}`,
    {
      why: 'Events that are not visible yet would be skipped.',
      next: 'evstore lag',
    },
  );
}

/** Returns undefined when no event is at or after the time. */
async function lastBefore(log: EventLog, time: string): Promise<number | undefined> {
  for await (const { events } of log.readAll({ since: time, limit: 1 })) {
    const [first] = events;
    if (first !== undefined) return first.globalPosition - 1;
  }
  return undefined;
}
