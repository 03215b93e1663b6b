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
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { isConnectionLost } from '../connection/errors.js';
import { exchangeParked } from '../read-models/parked.js';
import { lockCheckpoint } from '../read-models/parts.js';
import { catalogSettings } from './dependents.js';
import { exchangeTables } from './exchange.js';
import { inspectTables, summarise } from './inspect.js';
import { lockJournal, readRebuild } from './rebuilds.js';

export function swap(
  database: Database,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
): Promise<Rebuild> {
  return exchangeNames(database, rebuild, 'swapped', options.lockTimeoutMs, async (session) => {
    const checkpoint = await lockCheckpoint(session, leases.live);
    const journal = await lockJournal(session, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['ready']);
    const exchanges = planSwap(rebuild, journal, checkpoint);
    await exchangeInlined(session, rebuild);
    await exchangeTables(session, exchanges, options.lockTimeoutMs, async () => {
      assertUnchanged(rebuild, compareFacts(journal.facts, await inspectLive(session, exchanges)));
    });
    const replaced = await readLive(session, rebuild.projection);
    const { keepOldMs } = options;
    await session.ask('set-rebuild-swapped', swappedColumns(rebuild, replaced, checkpoint, keepOldMs));
    await setLive(session, rebuild, journal, journal.tables, journal);
    return readRebuild(session, rebuild.id);
  });
}

export function rollback(
  database: Database,
  rebuild: Rebuild,
  leases: SwapLeases,
  { lockTimeoutMs, goBack }: RollbackOptions,
): Promise<Rebuild> {
  return exchangeNames(database, rebuild, 'ready', lockTimeoutMs, async (session) => {
    const checkpoint = await lockCheckpoint(session, leases.live);
    const journal = await lockJournal(session, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['swapped']);
    const { exchanges, projection, ...cursor } = planRollback(rebuild, journal, checkpoint, goBack);
    await exchangeInlined(session, rebuild);
    await exchangeTables(session, exchanges, lockTimeoutMs, async () => {
      await inspectLive(session, exchanges);
    });
    const facts = await inspectLive(session, exchanges);
    const { level, lastEventId, audit } = checkpoint;
    await session.ask('set-rebuild-unswapped', [rebuild.id, level, lastEventId, facts, audit]);
    await setLive(session, rebuild, projection, journal.tables, { ...cursor, audit: journal.audit });
    return readRebuild(session, rebuild.id);
  });
}

/** When the connection is lost during COMMIT, the journal shows whether it took effect. */
function exchangeNames(
  database: Database,
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
        .transaction((session) => lockJournal(session, rebuild.id))
        .catch((error: unknown) => {
          throw isConnectionLost(error) ? unknownOutcome(rebuild, lost) : error;
        });
      if (state !== reached) throw lost;
    },
  });
}

/** Waits for appends that write the live tables before any table is locked: they lock in this order. */
async function exchangeInlined(session: Session, { projection, id }: Rebuild): Promise<void> {
  await session.ask('lock-projections', [[projection], true]);
  await session.ask('exchange-inlined', [projection, id]);
}

/** @throws E_UNSAFE_STORE when something on a live table cannot be carried over */
async function inspectLive(
  session: Session,

  exchanges: readonly Exchange<number>[],
): Promise<string> {
  const tables = exchanges.map(({ live }) => live);
  const facts = await inspectTables(session, tables);
  refuseBlocking(facts);
  return summarise(facts);
}

async function readLive(session: Session, projection: string): Promise<LiveProjection | null> {
  const [row] = await session.ask('projections', [projection]);
  return row === undefined ? null : toLiveProjection(row);
}

/** The projection, its checkpoint and its parked events are those of the tables that are live now. */
async function setLive(
  session: Session,

  { id, projection }: Rebuild,
  { version, codeHash, target }: LiveProjection,
  tables: readonly JournalTable<number>[],
  cursor: { readonly position: number; readonly lastEventId: string | null; readonly audit: string | null },
): Promise<void> {
  const names = JSON.stringify(tables.map(({ live }) => live));
  await session.ask('replace-projection', [projection, version, codeHash, names, target]);
  await session.ask('swap-checkpoint', [projection, cursor.position, cursor.lastEventId, cursor.audit]);
  await exchangeParked(session, projection, id);
}

function unknownOutcome({ id }: Rebuild, cause: unknown): EvstoreError {
  return new EvstoreError('E_OUTCOME_UNKNOWN', `connection lost: rebuild ${id} may or may not have been swapped`, {
    why: 'The connection was lost while the change was committed. The tables are intact either way.',
    next: 'evstore projections',
    cause,
  });
}
