/** Forgets a projection, and renames one: each in one transaction. */

import { renameDefinition } from '../../../domain/code-identity.js';
import { namesTaken } from '../../../domain/names.js';
import { toJournalTables, toRebuild } from '../../shared/journal.js';
import { noProjection, toPartStanding } from '../../shared/parts.js';
import { toProjectionRecord } from '../../shared/records.js';
import { assertIdle, assertUnused, renamedTables } from '../../shared/registry.js';
import { toText } from '../../shared/rows.js';
import type { ProjectionRecord, ProjectionRename } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import type { RawRow } from '../connection/values.js';
import { carryAll, catalogSettings } from './dependents.js';
import { planRenames } from './exchange.js';
import { findTables, findTaken } from './inspect.js';
import { dropTables, endRebuild, findOwnTables } from './rebuilds.js';

const lockTimeoutMs = 5000;

/** Returns the tables that were dropped, or that are no longer evstore's. */
export function forget(database: Database, projection: string, drop: boolean): Promise<readonly string[]> {
  const work = async (session: Session) => {
    const { record, rebuilds, checkpoints } = await lockIdle(session, projection);
    const own: string[] = [];
    for (const row of rebuilds) {
      const rebuild = toRebuild(row);
      if (rebuild.state === 'swapped') own.push(...(await findOwnTables(session, rebuild)));
    }
    const live = [...(await findTables(session, record.tables)).keys()];
    if (drop) await dropTables(session, [...live, ...own], `evstore projections forget ${projection} --drop-tables`);
    for (const row of rebuilds) {
      const rebuild = toRebuild(row);
      if (rebuild.state === 'swapped') await endRebuild(session, rebuild, 'retired', toJournalTables<number>(row));
    }
    for (const id of checkpoints) await session.ask('delete-checkpoint', [id, null]);
    await session.ask('forget-parked', [projection, 0, 0]);
    await session.ask('drop-inlined', [projection, 0]);
    await session.ask('delete-projection', [projection]);
    return [...live, ...own];
  };
  return database.transaction(work, { prelude: `${lockTimeout(lockTimeoutMs)}; ${catalogSettings}` });
}

export function rename(database: Database, from: string, rename: ProjectionRename): Promise<void> {
  const { name: to, hashes, tables: renamed } = rename;
  const hashOf = (rows: string) => renameDefinition(rows, hashes.before, hashes.after);
  const work = async (session: Session) => {
    const { record, rebuilds } = await lockIdle(session, from);
    const records = (await session.ask('projections', [null])).map(toProjectionRecord);
    assertUnused(
      to,
      records,
      (await session.ask('checkpoints')).map(([id]) => toText(id)),
    );
    const taken = await findTaken(session, Object.values(renamed));
    if (taken.length > 0) throw namesTaken(`the projection ${to}`, taken);
    await renameTables(session, renamed);
    for (const row of rebuilds) {
      const { id, codeHash, old } = toRebuild(row);
      const { tables } = toJournalTables<number>(row);
      const moved = tables.map((table) => ({ ...table, live: renamed[table.live] ?? table.live }));
      const hashes = [hashOf(codeHash), old === null ? null : hashOf(old.codeHash)];
      await session.ask('rename-rebuild', [id, to, JSON.stringify(moved), ...hashes]);
    }
    await session.ask('rename-checkpoints', [from, to]);
    await session.ask('rename-parked', [from, to]);
    await session.ask('rename-inlined', [from, to]);
    const names = JSON.stringify(renamedTables(record.tables, rename));
    await session.ask('rename-projection', [from, to, hashOf(record.codeHash), names]);
  };
  return database.transaction(work, { prelude: `${lockTimeout(lockTimeoutMs)}; ${catalogSettings}` });
}

/**
 * Locks a projection, when no process works on it.
 * @throws E_NOT_FOUND, E_LOCK_HELD
 */
async function lockIdle(
  session: Session,
  projection: string,
): Promise<{
  readonly record: ProjectionRecord;
  readonly rebuilds: readonly RawRow[];
  readonly checkpoints: readonly string[];
}> {
  // Waits for appends that write its rows.
  await session.ask('lock-projections', [[projection], true]);
  const standings = (await session.ask('lock-parts', [projection])).map(toPartStanding);
  await session.ask('lock-projection', [projection]);
  const [found] = await session.ask('projections', [projection]);
  if (found === undefined) throw noProjection(projection);
  const rebuilds = await session.ask('rebuilds', [projection, null]);
  assertIdle(projection, standings, rebuilds.map(toRebuild));
  const checkpoints = standings.map(({ subscriptionId }) => subscriptionId);
  return { record: toProjectionRecord(found), rebuilds, checkpoints };
}

/** Renames tables with their indexes, constraints and sequences. What depends on them follows. */
async function renameTables(session: Session, renamed: ProjectionRename['tables']): Promise<void> {
  const found = await findTables(session, Object.keys(renamed));
  for (const [from, id] of found) {
    const to = renamed[from] ?? from;
    await carryAll(session, await planRenames(session, session.schema, { id }, from, to, new Set()));
  }
}
