/** Putting rebuilt tables in the place of the live ones, and back: each one transaction. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Rebuild, RollbackOptions, SwapLeases } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { isConnectionLost } from '../connection/errors.js';
import { toInteger, toText } from '../connection/rows.js';
import { exchangeParked } from '../read-models/parked.js';
import { lockCheckpoint } from '../read-models/parts.js';
import { catalogSettings } from './dependents.js';
import { type Exchange, exchangeTables } from './exchange.js';
import { compareFacts, inspectTables, refuseBlocking, summariseFacts } from './inspect.js';
import { expectState, type Journal, type JournalTable, lockJournal, readRebuild, strangerAt } from './rebuilds.js';

/** What a projection is registered as. */
interface LiveProjection {
  readonly version: number;
  readonly codeHash: string;
  readonly target: string | null;
}

export function swap(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
): Promise<Rebuild> {
  return switchNames(journalOf, rebuild, 'swapped', options.lockTimeoutMs, async (session) => {
    const { sql } = journalOf;
    const checkpoint = await lockCheckpoint(session, sql, leases.live);
    const journal = await lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['ready']);
    if (journal.position < checkpoint.furthest) throw behind(rebuild, journal.position, checkpoint.furthest);
    const exchanges = journal.tables.map((table) => ({
      live: table.live,
      outgoing: table.liveOid === null ? null : { oid: table.liveOid, name: table.old },
      incoming: { oid: known(table, table.builtOid), name: table.built },
    }));
    await exchangeInlined(session, journalOf, rebuild);
    await exchangeTables(session, journalOf, exchanges, {
      ...options,
      check: async () => {
        const facts = await inspectLive(session, journalOf, exchanges);
        const changed = compareFacts(journal.facts, facts);
        if (changed.length > 0) throw changedFacts(rebuild, changed);
      },
    });
    const replaced = await readLive(session, journalOf, rebuild.projection);
    await session.query(sql('set-rebuild-swapped'), [
      rebuild.id,
      replaced?.version ?? null,
      replaced?.codeHash ?? null,
      replaced === null ? null : checkpoint.level,
      replaced === null ? null : checkpoint.lastEventId,
      options.keepOldMs,
      checkpoint.audit,
      replaced?.target ?? null,
    ]);
    await setLive(session, journalOf, rebuild.projection, journal, journal.tables);
    await session.query(sql('swap-checkpoint'), [
      rebuild.projection,
      journal.position,
      journal.lastEventId,
      journal.audit,
    ]);
    await exchangeParked(session, sql, rebuild.projection, rebuild.id);
    return readRebuild(session, sql, rebuild.id);
  });
}

export function rollback(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: RollbackOptions,
): Promise<Rebuild> {
  return switchNames(journalOf, rebuild, 'ready', options.lockTimeoutMs, async (session) => {
    const { sql } = journalOf;
    const checkpoint = await lockCheckpoint(session, sql, leases.live);
    const journal = await lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['swapped']);
    if (journal.old === null) throw nothingToRollBackTo(rebuild);
    const { version, codeHash, position, lastEventId } = journal.old;
    if (position === null || checkpoint.level === null) throw noLevel(rebuild, position === null);
    if (position < checkpoint.furthest && options.goBack !== true) throw behind(rebuild, position, checkpoint.furthest);
    const exchanges = journal.tables.map((table) => ({
      live: table.live,
      outgoing: { oid: known(table, table.builtOid), name: table.built },
      incoming: { oid: known(table, table.liveOid), name: table.old },
      made: table.made,
    }));
    await exchangeInlined(session, journalOf, rebuild);
    await exchangeTables(session, journalOf, exchanges, {
      ...options,
      check: async () => {
        await inspectLive(session, journalOf, exchanges);
      },
    });
    const facts = await inspectLive(session, journalOf, exchanges);
    await session.query(sql('set-rebuild-unswapped'), [
      rebuild.id,
      checkpoint.level,
      checkpoint.lastEventId,
      facts,
      checkpoint.audit,
    ]);
    await setLive(
      session,
      journalOf,
      rebuild.projection,
      { version, codeHash, target: journal.oldTarget },
      journal.tables,
    );
    await session.query(sql('swap-checkpoint'), [rebuild.projection, position, lastEventId, journal.audit]);
    await exchangeParked(session, sql, rebuild.projection, rebuild.id);
    return readRebuild(session, sql, rebuild.id);
  });
}

/** When COMMIT went out and nobody answered, the journal says which it was. */
function switchNames(
  { database, sql }: Journal,
  rebuild: Rebuild,
  reached: Rebuild['state'],
  lockTimeoutMs: number,
  work: (session: Session) => Promise<Rebuild>,
): Promise<Rebuild> {
  return database.transaction(work, {
    prelude: `${lockTimeout(lockTimeoutMs)}; ${catalogSettings}`,
    onLostCommit: async (error) => {
      if ((await readOutcome(database, sql, rebuild, error)) !== reached) throw error;
    },
  });
}

/** Locking the row waits for a COMMIT that is still under way. */
async function readOutcome(
  database: Database,
  sql: SqlFolder,
  rebuild: Rebuild,
  lostAnswer: unknown,
): Promise<Rebuild['state']> {
  try {
    return (await database.transaction((session) => lockJournal(session, sql, rebuild.id))).state;
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    throw new EvstoreError('E_OUTCOME_UNKNOWN', `nobody answered whether rebuild ${rebuild.id} was switched`, {
      why: 'The connection was lost while the change was committed. The tables are whole either way.',
      next: 'evstore projections',
      cause: lostAnswer,
    });
  }
}

/** Appends that write the live tables are let out, and stay out, before any table is locked: they lock in this order. */
async function exchangeInlined(session: Session, { sql }: Journal, { projection, id }: Rebuild): Promise<void> {
  await session.query(sql('lock-projections'), [[projection], [true]]);
  await session.query(sql('exchange-inlined'), [projection, id]);
}

/** @throws E_UNSAFE_STORE when something hangs on a live table that cannot be carried over */
async function inspectLive(
  session: Session,
  { sql, schema }: Journal,
  exchanges: readonly Exchange[],
): Promise<string> {
  const facts = await inspectTables(
    session,
    sql,
    schema,
    exchanges.map(({ live }) => live),
  );
  refuseBlocking(facts);
  return summariseFacts(facts);
}

async function readLive(session: Session, { sql }: Journal, projection: string): Promise<LiveProjection | null> {
  const [row] = await session.query(sql('projections'), [projection]);
  return row === undefined ? null : { version: toInteger(row[1]), codeHash: toText(row[2]), target: row[6] ?? null };
}

async function setLive(
  session: Session,
  { sql }: Journal,
  projection: string,
  { version, codeHash, target }: LiveProjection,
  tables: readonly JournalTable[],
): Promise<void> {
  const names = JSON.stringify(tables.map(({ live }) => live));
  await session.query(sql('replace-projection'), [projection, version, codeHash, names, target]);
}

function known(table: JournalTable, oid: number | null): number {
  if (oid === null) throw strangerAt(table.live);
  return oid;
}

function behind(rebuild: Rebuild, position: number, live: number): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `rebuild ${rebuild.id} is at ${position}, behind the live table at ${live}`, {
    why: 'Readers would see their totals go back. It has to catch up first; nothing has been changed.',
    next: `evstore rebuild ${rebuild.projection} --resume`,
    details: { position, live },
  });
}

function changedFacts(rebuild: Rebuild, changed: readonly string[]): EvstoreError {
  return new EvstoreError(
    'E_UNSAFE_STORE',
    `the live tables changed since rebuild ${rebuild.id}: ${changed.join(', ')}`,
    {
      why: 'A swap would lose what came (+) since the rebuild began. Nothing has been changed.',
      next: `evstore rebuild ${rebuild.projection} --restart`,
      details: { changed },
    },
  );
}

function noLevel({ id, projection }: Rebuild, sinceSwap: boolean): EvstoreError {
  const when = sinceSwap
    ? `stood at different positions when rebuild ${id} was swapped in`
    : 'stand at different positions';
  return new EvstoreError('E_CHECK_FAILED', `the parts of ${projection} ${when}`, {
    why: sinceSwap
      ? 'There is no one position from which the replaced tables could go on.'
      : 'There is no one position from which the live tables could go on when they are swapped in again.',
    next: sinceSwap ? `evstore rebuild ${projection}` : `evstore run ${projection} --once`,
  });
}

function nothingToRollBackTo(rebuild: Rebuild): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `rebuild ${rebuild.id} replaced nothing`, {
    why: 'There was no live table before it, so there is none to go back to.',
  });
}
