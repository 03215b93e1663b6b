/** Swaps rebuilt tables with the live ones, and rolls that back: each in one transaction. */
import { EvstoreError } from '../../../domain/errors.js';
import {
  assertUnchanged,
  type Exchange,
  expectState,
  type JournalTable,
  type LiveProjection,
  planRollback,
  planSwap,
  swappedColumns,
  toLiveProjection,
} from '../../shared/journal.js';
import { compareFacts, refuseBlocking } from '../../shared/table-facts.js';
import type { Rebuild, RollbackOptions, SwapLeases } from '../../store.js';
import { lockTimeout, type Session } from '../connection/database.js';
import { isConnectionLost } from '../connection/errors.js';
import { exchangeParked } from '../read-models/parked.js';
import { lockCheckpoint } from '../read-models/parts.js';
import { catalogSettings } from './dependents.js';
import { exchangeTables } from './exchange.js';
import { inspectTables, summarise } from './inspect.js';
import { type Journal, lockJournal, readRebuild } from './rebuilds.js';

export function swap(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
): Promise<Rebuild> {
  return exchangeNames(journalOf, rebuild, 'swapped', options.lockTimeoutMs, async (session) => {
    const { sql } = journalOf;
    const checkpoint = await lockCheckpoint(session, sql, leases.live);
    const journal = await lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['ready']);
    const exchanges = planSwap(rebuild, journal, checkpoint);
    await exchangeInlined(session, journalOf, rebuild);
    await exchangeTables(session, journalOf, exchanges, options.lockTimeoutMs, async () => {
      assertUnchanged(rebuild, compareFacts(journal.facts, await inspectLive(session, journalOf, exchanges)));
    });
    const replaced = await readLive(session, journalOf, rebuild.projection);
    const { keepOldMs } = options;
    await session.query(sql('set-rebuild-swapped'), swappedColumns(rebuild, replaced, checkpoint, keepOldMs));
    await setLive(session, journalOf, rebuild, journal, journal.tables, journal);
    return readRebuild(session, sql, rebuild.id);
  });
}

export function rollback(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  { lockTimeoutMs, goBack }: RollbackOptions,
): Promise<Rebuild> {
  return exchangeNames(journalOf, rebuild, 'ready', lockTimeoutMs, async (session) => {
    const { sql } = journalOf;
    const checkpoint = await lockCheckpoint(session, sql, leases.live);
    const journal = await lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['swapped']);
    const { exchanges, projection, ...cursor } = planRollback(rebuild, journal, checkpoint, goBack);
    await exchangeInlined(session, journalOf, rebuild);
    await exchangeTables(session, journalOf, exchanges, lockTimeoutMs, async () => {
      await inspectLive(session, journalOf, exchanges);
    });
    const facts = await inspectLive(session, journalOf, exchanges);
    const { level, lastEventId, audit } = checkpoint;
    await session.query(sql('set-rebuild-unswapped'), [rebuild.id, level, lastEventId, facts, audit]);
    await setLive(session, journalOf, rebuild, projection, journal.tables, { ...cursor, audit: journal.audit });
    return readRebuild(session, sql, rebuild.id);
  });
}

/** When the connection is lost during COMMIT, the journal shows whether it took effect. */
function exchangeNames(
  { database, sql }: Journal,
  rebuild: Rebuild,
  reached: Rebuild['state'],
  lockTimeoutMs: number,
  work: (session: Session) => Promise<Rebuild>,
): Promise<Rebuild> {
  return database.transaction(work, {
    prelude: `${lockTimeout(lockTimeoutMs)}; ${catalogSettings}`,
    onLostCommit: async (lost) => {
      // Locking the row waits for a COMMIT that is still under way.
      const { state } = await database
        .transaction((session) => lockJournal(session, sql, rebuild.id))
        .catch((error: unknown) => {
          throw isConnectionLost(error) ? unknownOutcome(rebuild, lost) : error;
        });
      if (state !== reached) throw lost;
    },
  });
}

/** Waits for appends that write the live tables before any table is locked: they lock in this order. */
async function exchangeInlined(session: Session, { sql }: Journal, { projection, id }: Rebuild): Promise<void> {
  await session.query(sql('lock-projections'), [[projection], true]);
  await session.query(sql('exchange-inlined'), [projection, id]);
}

/** @throws E_UNSAFE_STORE when something on a live table cannot be carried over */
async function inspectLive(
  session: Session,
  { sql, schema }: Journal,
  exchanges: readonly Exchange<number>[],
): Promise<string> {
  const tables = exchanges.map(({ live }) => live);
  const facts = await inspectTables(session, sql, schema, tables);
  refuseBlocking(facts);
  return summarise(facts);
}

async function readLive(session: Session, { sql }: Journal, projection: string): Promise<LiveProjection | null> {
  const [row] = await session.query(sql('projections'), [projection]);
  return row === undefined ? null : toLiveProjection(row);
}

/** The projection, its checkpoint and its parked events are those of the tables that are live now. */
async function setLive(
  session: Session,
  { sql }: Journal,
  { id, projection }: Rebuild,
  { version, codeHash, target }: LiveProjection,
  tables: readonly JournalTable<number>[],
  cursor: { readonly position: number; readonly lastEventId: string | null; readonly audit: string | null },
): Promise<void> {
  const names = JSON.stringify(tables.map(({ live }) => live));
  await session.query(sql('replace-projection'), [projection, version, codeHash, names, target]);
  await session.query(sql('swap-checkpoint'), [projection, cursor.position, cursor.lastEventId, cursor.audit]);
  await exchangeParked(session, sql, projection, id);
}

function unknownOutcome({ id }: Rebuild, cause: unknown): EvstoreError {
  return new EvstoreError('E_OUTCOME_UNKNOWN', `connection lost: rebuild ${id} may or may not have been swapped`, {
    why: 'The connection was lost while the change was committed. The tables are intact either way.',
    next: 'evstore projections',
    cause,
  });
}
