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
import type { Session } from '../connection/database.js';
import { exchangeParked } from '../read-models/parked.js';
import { lockCheckpoint } from '../read-models/parts.js';
import { exchangeTables } from './exchange.js';
import { inspectTables, summarise } from './inspect.js';
import { type Journal, lockJournal, readRebuild } from './rebuilds.js';

export function swap(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
): Promise<Rebuild> {
  return journalOf.database.alteration((session) => {
    const { sql } = journalOf;
    const checkpoint = lockCheckpoint(session, sql, leases.live);
    const journal = lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['ready']);
    const exchanges = planSwap(rebuild, journal, checkpoint);
    session.run(sql('exchange-inlined'), [rebuild.projection, rebuild.id]);
    exchangeTables(session, journalOf, exchanges, () => {
      assertUnchanged(rebuild, compareFacts(journal.facts, inspectLive(session, journalOf, exchanges)));
    });
    const replaced = readLive(session, journalOf, rebuild.projection);
    session.run(sql('set-rebuild-swapped'), swappedColumns(rebuild, replaced, checkpoint, options.keepOldMs));
    setLive(session, journalOf, rebuild, journal, journal.tables, journal);
    return readRebuild(session, sql, rebuild.id);
  }, options.lockTimeoutMs);
}

export function rollback(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  { lockTimeoutMs, goBack }: RollbackOptions,
): Promise<Rebuild> {
  return journalOf.database.alteration((session) => {
    const { sql } = journalOf;
    const checkpoint = lockCheckpoint(session, sql, leases.live);
    const journal = lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['swapped']);
    const { exchanges, projection, ...cursor } = planRollback(rebuild, journal, checkpoint, goBack);
    session.run(sql('exchange-inlined'), [rebuild.projection, rebuild.id]);
    exchangeTables(session, journalOf, exchanges, () => {
      inspectLive(session, journalOf, exchanges);
    });
    const facts = inspectLive(session, journalOf, exchanges);
    const { level, lastEventId, audit } = checkpoint;
    session.run(sql('set-rebuild-unswapped'), [rebuild.id, level, lastEventId, facts, audit]);
    setLive(session, journalOf, rebuild, projection, journal.tables, { ...cursor, audit: journal.audit });
    return readRebuild(session, sql, rebuild.id);
  }, lockTimeoutMs);
}

/** @throws E_UNSAFE_STORE when something on a live table cannot be carried over */
function inspectLive(session: Session, { sql }: Journal, exchanges: readonly Exchange<string>[]): string {
  const tables = exchanges.map(({ live }) => live);
  const facts = inspectTables(session, sql, tables);
  refuseBlocking(facts);
  return summarise(facts);
}

function readLive(session: Session, { sql }: Journal, projection: string): LiveProjection | null {
  const [row] = session.query(sql('projections'), [projection]);
  return row === undefined ? null : toLiveProjection(row);
}

/** The projection, its checkpoint and its parked events are those of the tables that are live now. */
function setLive(
  session: Session,
  { sql }: Journal,
  { id, projection }: Rebuild,
  { version, codeHash, target }: LiveProjection,
  tables: readonly JournalTable<string>[],
  cursor: { readonly position: number; readonly lastEventId: string | null; readonly audit: string | null },
): void {
  const names = JSON.stringify(tables.map(({ live }) => live));
  session.run(sql('replace-projection'), [projection, version, codeHash, names, target]);
  session.run(sql('swap-checkpoint'), [projection, cursor.position, cursor.lastEventId, cursor.audit]);
  exchangeParked(session, sql, projection, id);
}
