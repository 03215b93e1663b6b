/** Finds which positions events of a time can be at, so that a read need not look through the log for them. */
import type { EventQuery } from '../../../domain/event.js';
import { toInteger, toOptional } from '../../shared/rows.js';
import type { Database } from '../connection/database.js';

/** Everything that a filter lets through is in it, as far as the log was final. */
export interface TimeSpan {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly to: number;
  /** The end of what was looked at: beyond it any event may be of that time. */
  readonly head: number;
}

/** Fewer are read sooner than this is found out. */
const fewPositions = 10_000;
/** Only the block ranges are of use: Postgres takes times and positions for independent. */
const byBlockRanges = 'set local enable_seqscan = off; set local enable_indexscan = off; set local jit = off';

/**
 * Imported events may be anywhere, so those on the wrong side of a bisection are looked for, too.
 * @param after exclusive @param head inclusive; final
 */
export async function findTimeSpan(
  database: Database,
  { since, until }: EventQuery,
  after: number,
  head: number,
): Promise<TimeSpan | undefined> {
  if ((since ?? until) === undefined || head - after <= fewPositions) return undefined;
  const bisect = async (time: string) => toInteger((await database.ask('bisect-time', [time, head]))[0]?.[0]);
  const [low, high] = [since && (await bisect(since)), until && (await bisect(until))];
  return database.transaction(
    async (session) => {
      const find = async (name: string, parameters: readonly (string | number)[]) =>
        toOptional((await session.ask(name, parameters))[0]?.[0], toInteger);
      const first = since && (await find('first-since', [since, Number(low)]));
      const last = until && (await find('last-until', [until, Number(high), head]));
      return {
        after: since === undefined ? after : Math.max(after, typeof first === 'number' ? first - 1 : Number(low)),
        to: until === undefined ? head : typeof last === 'number' ? last : Number(high),
        head,
      };
    },
    { prelude: byBlockRanges },
  );
}
