/** Estimates what a rebuild takes, without writing anything. Positions are global positions. */
import type { EventFilter } from '../../domain/event.js';
import type { Engine, EventLog, Store } from '../../store/store.js';
import type { SwapOptions } from '../swap/swap.js';
import type { RebuildPlanned } from './plan.js';

export interface RebuildForecast {
  /** Events to read between where it begins and the safe head. */
  readonly matching: Amount;
  /** Of the live tables, as an estimate for the new ones; null without live tables. */
  readonly rows: Amount | null;
  /** With indexes; null without live tables. */
  readonly bytes: number | null;
  /** On the disk of the store; null where the engine cannot see it. */
  readonly freeBytes: number | null;
  /** Null with `--no-swap`. */
  readonly swap: SwapForecast | null;
  readonly rollback: RollbackForecast;
}

/** `sampled`: counted in slices spread over the log; `estimated`: from the engine's statistics. */
export interface Amount {
  readonly amount: number;
  readonly how: 'counted' | 'sampled' | 'estimated';
}

export interface SwapForecast {
  /** Taken in one transaction, which renames tables and writes no row. */
  readonly locks: readonly { readonly what: string; readonly mode: string }[];
  /** How long one attempt waits for them, and how long attempts are repeated, in milliseconds. */
  readonly lockTimeoutMs: number;
  readonly maxWaitMs: number;
}

export interface RollbackForecast {
  readonly possible: boolean;
  /** How long the old tables are kept, in milliseconds. */
  readonly keepOldMs: number;
  /** Of the tables that would be live again. */
  readonly version: number;
  /** The loaded code can catch them up; if not, the code of that version must be loaded. */
  readonly caughtUp: boolean;
}

/** At most this many positions are looked at, which takes a second at most. */
const countedPositions = 100_000;
const slices = 40;

export async function forecastRebuild(
  store: Store,
  plan: RebuildPlanned,
  filter: EventFilter,
  options: Pick<SwapOptions, 'lockTimeoutMs' | 'maxWaitMs' | 'keepOldMs'> & { readonly swap: boolean },
): Promise<RebuildForecast> {
  const { safeHead } = await store.log.head();
  const live = plan.tables.filter(({ exists }) => exists);
  const sizes = await store.projections.measureTables(live.map(({ table }) => table));
  const { lockTimeoutMs, maxWaitMs, keepOldMs } = options;
  return {
    matching: await countMatching(store.log, filter, plan.from, safeHead),
    rows: live.length === 0 ? null : await countRows(store, live),
    bytes: live.length === 0 ? null : sizes.tables.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    freeBytes: sizes.freeBytes,
    swap: options.swap ? { locks: listLocks(store.engine, plan), lockTimeoutMs, maxWaitMs } : null,
    rollback: {
      possible: keepOldMs > 0,
      keepOldMs,
      version: plan.fromVersion ?? plan.toVersion,
      caughtUp: plan.code === null || plan.code === 'current',
    },
  };
}

/** Counts few events; of many, samples slices spread evenly over the range. @param most positions looked at */
export async function countMatching(
  log: EventLog,
  filter: EventFilter,
  after: number,
  to: number,
  most = countedPositions,
): Promise<Amount> {
  const length = to - after;
  if (length <= most) {
    const amount = length <= 0 ? 0 : (await log.tally({ after, to }, filter)).events;
    return { amount, how: 'counted' };
  }
  const sliceLength = Math.floor(most / slices);
  let found = 0;
  for (let slice = 0; slice < slices; slice += 1) {
    const from = after + Math.floor((slice * (length - sliceLength)) / (slices - 1));
    found += (await log.tally({ after: from, to: from + sliceLength }, filter)).events;
  }
  return { amount: Math.round((found / (slices * sliceLength)) * length), how: 'sampled' };
}

async function countRows({ projections }: Store, tables: RebuildPlanned['tables']): Promise<Amount> {
  let amount = 0;
  let how: Amount['how'] = 'counted';
  for (const { table, estimatedRows } of tables) {
    if (estimatedRows !== null) how = 'estimated';
    amount += estimatedRows ?? (await projections.countRows(table));
  }
  return { amount, how };
}

/** Postgres locks the tables it renames. SQLite has one writer at a time, and readers are not blocked. */
function listLocks(engine: Engine, { projection, names }: RebuildPlanned): SwapForecast['locks'] {
  if (engine === 'sqlite') return [{ what: 'the store, against other writers', mode: 'immediate' }];
  return [
    { what: `the checkpoint of ${projection}`, mode: 'row' },
    ...names.flatMap(({ live, built }) => [live, built]).map((what) => ({ what, mode: 'access exclusive' })),
  ];
}
