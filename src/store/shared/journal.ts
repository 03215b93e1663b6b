/** The journal of rebuilds: its rows, its states, and what a swap or a rollback does to the tables of a rebuild. */

import { EvstoreError } from '../../domain/errors.js';
import { nameRebuildTables, namesTaken } from '../../domain/names.js';
import { groupDigits } from '../../domain/numbers.js';
import type { JoinedStanding } from '../../domain/standing.js';
import type { Lease, LeaseRequest, Rebuild, RebuildPlan, RebuildState, RebuildTable } from '../store.js';
import { toOwner } from './leases.js';
import { type RawRow, toInteger, toOneOf, toOptional, toText, toTimestamp } from './rows.js';

const states: readonly RebuildState[] = ['planned', 'filling', 'ready', 'swapped', 'retired', 'aborted'];

/** @typeParam Id identifies a table: an oid on Postgres, a hash of its statement on SQLite */
export interface JournalTable<Id> extends RebuildTable {
  /** The table that is live until the swap and old afterwards. */
  readonly liveId: Id | null;
  /** The table the rebuild fills, live after the swap. */
  readonly builtId: Id | null;
  /** The parts that the definition made on the built table: a rollback does not carry them over. */
  readonly made?: readonly string[];
}

export interface JournalRow<Id> {
  readonly state: RebuildState;
  readonly position: number;
  readonly lastEventId: string | null;
  /** The audit of the tables that are not live, as it is stored. */
  readonly audit: string | null;
  /** The read model outside this database that the rebuild fills, and the one it replaced. */
  readonly target: string | null;
  readonly oldTarget: string | null;
  readonly tables: readonly JournalTable<Id>[];
  readonly facts: string;
  readonly version: number;
  readonly codeHash: string;
  readonly old: {
    readonly version: number;
    readonly codeHash: string;
    /** Null when the parts of the projection were at different positions. */
    readonly position: number | null;
    readonly lastEventId: string | null;
  } | null;
}

type JournalTables<Id> = Pick<JournalRow<Id>, 'state' | 'tables'>;

/** The code and the target of a registered projection. */
export interface LiveProjection {
  readonly version: number;
  readonly codeHash: string;
  readonly target: string | null;
}

/** A table that loses its name to another. */
export interface Exchange<Id> {
  readonly live: string;
  /** Null when there is no live table. */
  readonly outgoing: { readonly id: Id; readonly name: string } | null;
  readonly incoming: { readonly id: Id; readonly name: string };
  /** The parts that the definition made on the live table; undefined when unknown. */
  readonly made?: readonly string[] | undefined;
  /** The command that makes new tables, when one of these is not the one it was. */
  readonly renew: string;
}

/** Columns as in rebuilds.sql. */
export function toRebuild(row: RawRow): Rebuild {
  const tables: readonly RebuildTable[] = JSON.parse(toText(row[6]));
  return {
    id: toInteger(row[0]),
    projection: toText(row[1]),
    version: toInteger(row[2]),
    codeHash: toText(row[3]),
    state: toState(row[4]),
    position: toInteger(row[5]),
    tables: tables.map(({ live, built, old }) => ({ live, built, old })),
    old: toOptional(row[7], (version) => ({
      version: toInteger(version),
      codeHash: toText(row[8]),
      position: toOptional(row[9], toInteger),
    })),
    owner: toOwner(row[10], row[17]),
    createdAt: toTimestamp(row[11]),
    updatedAt: toTimestamp(row[12]),
    swappedAt: toOptional(row[13], toTimestamp),
    keepOldUntil: toOptional(row[14], toTimestamp),
    target: toOptional(row[15], toText),
    oldTarget: toOptional(row[16], toText),
  };
}

/** Columns as in lock-rebuild.sql. */
export function toJournalRow<Id>(row: RawRow): JournalRow<Id> {
  return {
    state: toState(row[0]),
    position: toInteger(row[1]),
    lastEventId: toOptional(row[2], toText),
    tables: JSON.parse(toText(row[3])),
    facts: toText(row[4]),
    version: toInteger(row[5]),
    codeHash: toText(row[6]),
    old: toOptional(row[7], (version) => ({
      version: toInteger(version),
      codeHash: toText(row[8]),
      position: toOptional(row[9], toInteger),
      lastEventId: toOptional(row[10], toText),
    })),
    audit: toOptional(row[11], toText),
    target: toOptional(row[12], toText),
    oldTarget: toOptional(row[13], toText),
  };
}

/** Columns as in projections.sql. */
export function toLiveProjection(row: RawRow): LiveProjection {
  return { version: toInteger(row[1]), codeHash: toText(row[2]), target: toOptional(row[6], toText) };
}

/** Returns the lease of a rebuild that was just started. */
export function firstLease(id: number, token: number, { owner }: LeaseRequest): Lease {
  return { target: { kind: 'rebuild', id }, owner, token, generation: 0, position: 0 };
}

/** Names the tables of a rebuild, before any is made. */
export function planTables<Id>(plan: RebuildPlan, rebuild: number, ids: ReadonlyMap<string, Id>): JournalTable<Id>[] {
  return plan.tables.map((live) => {
    return { ...nameRebuildTables(live, plan.version, rebuild), liveId: ids.get(live) ?? null, builtId: null };
  });
}

/** @throws E_SUPERSEDED */
export function expectState<Id>(id: number, { state }: JournalRow<Id>, wanted: readonly RebuildState[]): void {
  if (wanted.includes(state)) return;
  throw new EvstoreError('E_SUPERSEDED', `rebuild ${id} is ${state}, not ${wanted.join(' or ')}`, {
    why: 'Another process has moved it on.',
    next: 'evstore projections',
  });
}

/**
 * Returns what a swap does to the tables.
 * @throws E_SUPERSEDED when the rebuild is behind the live tables
 */
export function planSwap<Id>(rebuild: Rebuild, journal: JournalRow<Id>, live: JoinedStanding): Exchange<Id>[] {
  if (journal.position < live.furthest) throw behind(rebuild, journal.position, live.furthest);
  return journal.tables.map((table) => ({
    live: table.live,
    outgoing: table.liveId === null ? null : { id: table.liveId, name: table.old },
    ...exchanged(table, table.builtId, table.built, `evstore rebuild ${rebuild.projection} --restart`),
  }));
}

/**
 * Returns what a rollback does to the tables, and what is live after it.
 * @throws E_NOT_FOUND, E_CHECK_FAILED, E_SUPERSEDED when the old tables cannot be live again
 */
export function planRollback<Id>(
  rebuild: Rebuild,
  { old, tables, oldTarget }: JournalRow<Id>,
  live: JoinedStanding,
  goBack: boolean | undefined,
): {
  readonly exchanges: Exchange<Id>[];
  readonly projection: LiveProjection;
  readonly position: number;
  readonly lastEventId: string | null;
} {
  if (old === null) {
    throw new EvstoreError('E_NOT_FOUND', `rebuild ${rebuild.id} replaced nothing`, {
      why: 'There was no live table before it, so there is none to go back to.',
    });
  }
  const { version, codeHash, position, lastEventId } = old;
  if (position === null || live.level === null) throw notLevel(rebuild, position === null);
  if (position < live.furthest && goBack !== true) throw behind(rebuild, position, live.furthest);
  const exchanges = tables.map((table) => ({
    live: table.live,
    outgoing: exchanged(table, table.builtId, table.built, `evstore rebuild ${rebuild.projection}`).incoming,
    ...exchanged(table, table.liveId, table.old, `evstore rebuild ${rebuild.projection}`),
    made: table.made,
  }));
  return { exchanges, projection: { version, codeHash, target: oldTarget }, position, lastEventId };
}

/** Parameters of set-rebuild-swapped.sql. */
export function swappedColumns(
  rebuild: Rebuild,
  replaced: LiveProjection | null,
  checkpoint: JoinedStanding,
  keepOldMs: number,
): readonly (string | number | null)[] {
  return [
    rebuild.id,
    replaced?.version ?? null,
    replaced?.codeHash ?? null,
    replaced === null ? null : checkpoint.level,
    replaced === null ? null : checkpoint.lastEventId,
    keepOldMs,
    checkpoint.audit,
    replaced?.target ?? null,
  ];
}

/** @param renew the command that makes new tables */
export function strangerAt(table: string, renew: string): EvstoreError {
  return new EvstoreError('E_UNSAFE_STORE', `table ${table} is not the one this rebuild knows`, {
    why: 'Another program dropped, renamed or recreated it. Nothing has been changed.',
    next: renew,
    details: { table },
  });
}

export function rebuildNamesTaken(projection: string, taken: readonly string[]): EvstoreError {
  return namesTaken(`the rebuild of ${projection}`, taken, `evstore rebuild ${projection}`);
}

/** Returns the names that the tables get which are live now. */
export function oldNames<Id>(exchanges: readonly Exchange<Id>[]): readonly string[] {
  return exchanges.flatMap(({ outgoing }) => (outgoing === null ? [] : [outgoing.name]));
}

/** @throws E_FOREIGN_TABLE */
export function assertNamesFree<Id>([first]: readonly Exchange<Id>[], taken: readonly string[]): void {
  if (first !== undefined && taken.length > 0) throw namesTaken(`the old table of ${first.live}`, taken);
}

/** @param row as in unfinished-rebuild.sql; undefined when the other rebuild has ended meanwhile */
export function unfinishedRebuild(projection: string, row: RawRow | undefined, cause: unknown): unknown {
  if (row === undefined) return cause;
  const [id, state, owner] = [toInteger(row[0]), toText(row[1]), toOwner(row[2], row[3])];
  return new EvstoreError('E_LOCK_HELD', `rebuild ${id} of ${projection} is unfinished (${state})`, {
    why: owner === null ? 'No process works on it now.' : `${owner} works on it.`,
    next: owner === null ? `evstore rebuild ${projection} --resume` : 'evstore projections',
    details: { rebuild: id, state, owner },
    cause,
  });
}

/** @throws E_UNSAFE_STORE naming what changed on the live tables since the rebuild began */
export function assertUnchanged(rebuild: Rebuild, changed: readonly string[]): void {
  if (changed.length === 0) return;
  const what = `the live tables changed since rebuild ${rebuild.id}: ${changed.join(', ')}`;
  throw new EvstoreError('E_UNSAFE_STORE', what, {
    why: 'A swap would lose what was added (+) since the rebuild began. Nothing has been changed.',
    next: `evstore rebuild ${rebuild.projection} --restart`,
    details: { changed },
  });
}

function behind(rebuild: Rebuild, position: number, live: number): EvstoreError {
  return new EvstoreError(
    'E_SUPERSEDED',
    `rebuild ${rebuild.id} is at ${groupDigits(position)}, behind the live table at ${groupDigits(live)}`,
    {
      why: 'Readers would see older rows than before. It must catch up first; nothing has been changed.',
      next: `evstore rebuild ${rebuild.projection} --resume`,
      details: { position, live },
    },
  );
}

function notLevel({ id, projection }: Rebuild, sinceSwap: boolean): EvstoreError {
  const when = sinceSwap
    ? `were at different positions when rebuild ${id} was swapped in`
    : 'are at different positions';
  const tables = sinceSwap ? 'the replaced tables' : 'the live tables, once they are swapped in again,';
  return new EvstoreError('E_CHECK_FAILED', `the parts of ${projection} ${when}`, {
    why: `There is no single position from which ${tables} could continue.`,
    next: sinceSwap ? `evstore rebuild ${projection}` : `evstore run ${projection} --once`,
  });
}

function exchanged<Id>(table: JournalTable<Id>, id: Id | null, name: string, renew: string) {
  if (id === null) throw strangerAt(table.live, renew);
  return { incoming: { id, name }, renew };
}

/** Columns as in rebuilds.sql. */
export function toJournalTables<Id>(row: RawRow): JournalTables<Id> {
  return { state: toState(row[4]), tables: JSON.parse(toText(row[6])) };
}

/** Returns the tables of a rebuild that are not live, with their identities: null before they are made. */
export function notLive<Id>({
  state,
  tables,
}: JournalTables<Id>): readonly { readonly name: string; readonly id: Id | null }[] {
  if (state === 'swapped') return tables.map(({ old, liveId }) => ({ name: old, id: liveId }));
  return state === 'retired' || state === 'aborted'
    ? []
    : tables.map(({ built, builtId }) => ({ name: built, id: builtId }));
}

function toState(value: RawRow[number] | undefined): RebuildState {
  return toOneOf(states, value, 'state of a rebuild');
}
