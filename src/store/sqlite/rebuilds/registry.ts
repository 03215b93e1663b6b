/** Forgets a projection, and renames one: each in one transaction. */

import { renameDefinition } from '../../../domain/code-identity.js';
import { namesTaken } from '../../../domain/names.js';
import { toJournalTables, toRebuild } from '../../shared/journal.js';
import { noProjection, toPartStanding } from '../../shared/parts.js';
import { toProjectionRecord } from '../../shared/records.js';
import { assertIdle, assertUnused, renamedTables } from '../../shared/registry.js';
import { toText } from '../../shared/rows.js';
import type { ProjectionRecord, ProjectionRename } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';
import { findTables, findTaken } from './inspect.js';
import { dropTables, endRebuild, findOwnTables } from './rebuilds.js';

/** Returns the tables that were dropped, or that are no longer evstore's. */
export function forget(database: Database, projection: string, drop: boolean): Promise<readonly string[]> {
  const work = (session: Session) => {
    const { record, rebuilds, checkpoints } = lockIdle(session, projection);
    const own: string[] = [];
    for (const row of rebuilds) {
      const rebuild = toRebuild(row);
      if (rebuild.state === 'swapped') own.push(...findOwnTables(session, rebuild));
    }
    const live = [...findTables(session, record.tables).keys()];
    if (drop) dropTables(session, [...live, ...own], `evstore projections forget ${projection} --drop-tables`);
    for (const row of rebuilds) {
      const rebuild = toRebuild(row);
      if (rebuild.state === 'swapped') endRebuild(session, rebuild, 'retired', toJournalTables<string>(row));
    }
    for (const id of checkpoints) session.ask('delete-checkpoint', [id, null]);
    session.ask('forget-parked', [projection, 0, 0]);
    session.ask('drop-inlined', [projection, 0]);
    session.ask('delete-projection', [projection]);
    return [...live, ...own];
  };
  return drop ? database.alteration(work) : database.transaction(work);
}

export function rename(database: Database, from: string, rename: ProjectionRename): Promise<void> {
  const { name: to, hashes, tables: renamed } = rename;
  const hashOf = (rows: string) => renameDefinition(rows, hashes.before, hashes.after);
  const work = (session: Session) => {
    const { record, rebuilds } = lockIdle(session, from);
    const records = session.ask('projections', [null]).map(toProjectionRecord);
    assertUnused(
      to,
      records,
      session.ask('checkpoints').map(([id]) => toText(id)),
    );
    const taken = findTaken(session, Object.values(renamed));
    if (taken.length > 0) throw namesTaken(`the projection ${to}`, taken);
    renameTables(session, renamed);
    for (const row of rebuilds) {
      const { id, codeHash, old } = toRebuild(row);
      const { tables } = toJournalTables<string>(row);
      const moved = tables.map((table) => ({ ...table, live: renamed[table.live] ?? table.live }));
      const hashes = [hashOf(codeHash), old === null ? null : hashOf(old.codeHash)];
      session.ask('rename-rebuild', [id, to, JSON.stringify(moved), ...hashes]);
    }
    session.ask('rename-checkpoints', [from, to]);
    session.ask('rename-parked', [from, to]);
    session.ask('rename-inlined', [from, to]);
    const names = JSON.stringify(renamedTables(record.tables, rename));
    session.ask('rename-projection', [from, to, hashOf(record.codeHash), names]);
  };
  return database.transaction(work);
}

/**
 * Locks a projection, when no process works on it.
 * @throws E_NOT_FOUND, E_LOCK_HELD
 */
function lockIdle(
  session: Session,
  projection: string,
): {
  readonly record: ProjectionRecord;
  readonly rebuilds: readonly RawRow[];
  readonly checkpoints: readonly string[];
} {
  const standings = session.ask('lock-parts', [projection]).map(toPartStanding);
  session.ask('lock-projection', [projection]);
  const [found] = session.ask('projections', [projection]);
  if (found === undefined) throw noProjection(projection);
  const rebuilds = session.ask('rebuilds', [projection, null]);
  assertIdle(projection, standings, rebuilds.map(toRebuild));
  const checkpoints = standings.map(({ subscriptionId }) => subscriptionId);
  return { record: toProjectionRecord(found), rebuilds, checkpoints };
}

/** Views, triggers and foreign keys follow. Indexes keep their names: SQLite cannot rename them. */
function renameTables(session: Session, renamed: ProjectionRename['tables']): void {
  for (const from of findTables(session, Object.keys(renamed)).keys()) {
    const to = quoteIdentifier(renamed[from] ?? from);
    session.execute(`alter table ${quoteIdentifier(from)} rename to ${to}`);
  }
}
