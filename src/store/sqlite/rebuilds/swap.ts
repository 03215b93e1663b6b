/** Swaps rebuilt tables with the live ones, and rolls that back: each in one transaction. */
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
import type { Database, Session } from '../connection/database.js';
import { exchangeParked } from '../read-models/parked.js';
import { lockCheckpoint } from '../read-models/parts.js';
import { exchangeTables } from './exchange.js';
import { inspectTables, summarise } from './inspect.js';
import { lockJournal, readRebuild } from './rebuilds.js';

export function swap(
  database: Database,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
): Promise<Rebuild> {
  return database.alteration((session) => {
    const checkpoint = lockCheckpoint(session, leases.live);
    const journal = lockJournal(session, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['ready']);
    const exchanges = planSwap(rebuild, journal, checkpoint);
    session.ask('exchange-inlined', [rebuild.projection, rebuild.id]);
    exchangeTables(session, exchanges, () => {
      assertUnchanged(rebuild, compareFacts(journal.facts, inspectLive(session, exchanges)));
    });
    const replaced = readLive(session, rebuild.projection);
    session.ask('set-rebuild-swapped', swappedColumns(rebuild, replaced, checkpoint, options.keepOldMs));
    setLive(session, rebuild, journal, journal.tables, journal);
    return readRebuild(session, rebuild.id);
  }, options.lockTimeoutMs);
}

export function rollback(
  database: Database,
  rebuild: Rebuild,
  leases: SwapLeases,
  { lockTimeoutMs, goBack }: RollbackOptions,
): Promise<Rebuild> {
  return database.alteration((session) => {
    const checkpoint = lockCheckpoint(session, leases.live);
    const journal = lockJournal(session, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['swapped']);
    const { exchanges, projection, ...cursor } = planRollback(rebuild, journal, checkpoint, goBack);
    session.ask('exchange-inlined', [rebuild.projection, rebuild.id]);
    exchangeTables(session, exchanges, () => {
      inspectLive(session, exchanges);
    });
    const facts = inspectLive(session, exchanges);
    const { level, lastEventId, audit } = checkpoint;
    session.ask('set-rebuild-unswapped', [rebuild.id, level, lastEventId, facts, audit]);
    setLive(session, rebuild, projection, journal.tables, { ...cursor, audit: journal.audit });
    return readRebuild(session, rebuild.id);
  }, lockTimeoutMs);
}

/** @throws E_UNSAFE_STORE when something on a live table cannot be carried over */
function inspectLive(session: Session, exchanges: readonly Exchange<string>[]): string {
  const tables = exchanges.map(({ live }) => live);
  const facts = inspectTables(session, tables);
  refuseBlocking(facts);
  return summarise(facts);
}

function readLive(session: Session, projection: string): LiveProjection | null {
  const [row] = session.ask('projections', [projection]);
  return row === undefined ? null : toLiveProjection(row);
}

/** The projection, its checkpoint and its parked events are those of the tables that are live now. */
function setLive(
  session: Session,

  { id, projection }: Rebuild,
  { version, codeHash, target }: LiveProjection,
  tables: readonly JournalTable<string>[],
  cursor: { readonly position: number; readonly lastEventId: string | null; readonly audit: string | null },
): void {
  const names = JSON.stringify(tables.map(({ live }) => live));
  session.ask('replace-projection', [projection, version, codeHash, names, target]);
  session.ask('swap-checkpoint', [projection, cursor.position, cursor.lastEventId, cursor.audit]);
  exchangeParked(session, projection, id);
}
