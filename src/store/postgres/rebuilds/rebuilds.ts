/** The journal of rebuilds, and the tables each one creates and drops. */
import { checkStatementNames, nameTarget } from '../../../domain/names.js';
import type { ReadModel } from '../../../domain/read-model.js';
import {
  expectState,
  firstLease,
  type JournalRow,
  type JournalTable,
  planTables,
  strangerAt,
  toJournalRow,
  toRebuild,
  unfinishedRebuild,
} from '../../shared/journal.js';
import { noRebuild, superseded } from '../../shared/leases.js';
import { missingReadModel } from '../../shared/records.js';
import { toInteger } from '../../shared/rows.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, LeaseRequest, Rebuild, RebuildPlan } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import { createIndexes, createTable, qualify, runStatement } from '../read-models/read-model.js';
import { searchPath } from '../schema/schema-name.js';
import { assertColumns, type Change, catalogSettings, listMade, prepareEmpty, prepareParts } from './dependents.js';
import { findTables, inspectTables, summarise } from './inspect.js';

const dropLockTimeoutMs = 5000;

/** Tables are identified by their oids. */
export type Table = JournalTable<number>;

export interface Journal {
  readonly database: Database;
  readonly sql: SqlFolder;
  readonly schema: string;
}

export async function startRebuild(
  { database, sql, schema }: Journal,
  plan: RebuildPlan,
  request: LeaseRequest,
): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
  const { projection, version, codeHash } = plan;
  const start = async (session: Session) => {
    const facts = summarise(await inspectTables(session, sql, schema, plan.tables));
    const parameters = [projection, version, codeHash, facts, request.owner, request.ttlMs];
    const [row] = await session.query(sql('start-rebuild'), parameters);
    const [id, token] = [toInteger(row?.[0]), toInteger(row?.[1])];
    const tables = planTables(plan, id, await findTables(session, sql, schema, plan.tables));
    await session.query(sql('set-rebuild-state'), [id, 'planned', JSON.stringify(tables)]);
    await session.query(sql('set-rebuild-target'), [id, nameTarget(projection, version, id)]);
    return { rebuild: await readRebuild(session, sql, id), lease: firstLease(id, token, request) };
  };
  try {
    return await database.transaction(start, { prelude: catalogSettings });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const [other] = await database.query(sql('unfinished-rebuild'), [projection]);
    throw unfinishedRebuild(projection, other, error);
  }
}

export function createRebuildTables(
  { database, sql, schema }: Journal,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  const create = async (session: Session) => {
    const journal = await lockJournal(session, sql, rebuild.id, lease);
    if (journal.state !== 'planned') return readRebuild(session, sql, rebuild.id);
    const built = new Map(journal.tables.map((table) => [table.live, table.built]));
    const physical = (name: string) => built.get(name) ?? name;
    if (model.kind === 'table') {
      await session.query(createTable(schema, model.spec, physical(model.spec.name)));
    } else if (model.kind === 'sql') {
      const statements = model.create(physical);
      checkStatementNames(statements);
      for (const statement of statements) await runStatement(session, statement);
    }
    const found = await findTables(session, sql, schema, [...built.values()]);
    const tables = journal.tables.map((table) => ({ ...table, builtId: found.get(table.built) ?? null }));
    const missing = tables.find(({ builtId }) => builtId === null);
    if (missing !== undefined) throw missingReadModel(missing.live);
    await session.query(catalogSettings);
    for (const change of toChanges(schema, tables)) {
      await assertColumns(session, sql, change);
      await prepareEmpty(session, sql, change);
    }
    await session.query(sql('set-rebuild-state'), [rebuild.id, 'filling', JSON.stringify(tables)]);
    return readRebuild(session, sql, rebuild.id);
  };
  return database.transaction(create, { prelude: searchPath(schema) });
}

export function finishFill(
  { database, sql, schema }: Journal,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  const finish = async (session: Session) => {
    const journal = await lockJournal(session, sql, rebuild.id, lease);
    if (journal.state === 'ready') return readRebuild(session, sql, rebuild.id);
    expectState(rebuild.id, journal, ['filling']);
    if (model.kind === 'table') {
      const built = journal.tables.find(({ live }) => live === model.spec.name)?.built ?? model.spec.name;
      for (const statement of createIndexes(schema, model.spec, built)) await session.query(statement);
    }
    const tables: Table[] = [];
    for (const table of journal.tables) {
      tables.push(table.builtId === null ? table : { ...table, made: await listMade(session, sql, table.builtId) });
    }
    for (const change of toChanges(schema, tables)) await prepareParts(session, sql, change);
    for (const { built } of tables) await session.query(`analyze ${qualify(schema, built)}`);
    await session.query(sql('set-rebuild-state'), [rebuild.id, 'ready', JSON.stringify(tables)]);
    return readRebuild(session, sql, rebuild.id);
  };
  return database.transaction(finish, { prelude: catalogSettings });
}

export function abortRebuild({ database, sql, schema }: Journal, rebuild: Rebuild, lease: Lease): Promise<Rebuild> {
  const abort = async (session: Session) => {
    const journal = await lockJournal(session, sql, rebuild.id, lease);
    expectState(rebuild.id, journal, ['planned', 'filling', 'ready']);
    const doomed = journal.tables.map(({ built, builtId }) => ({ name: built, id: builtId }));
    await dropTables(session, sql, schema, doomed);
    return endRebuild(session, sql, rebuild, 'aborted', journal);
  };
  return database.transaction(abort, { prelude: lockTimeout(dropLockTimeoutMs) });
}

export function retireRebuild({ database, sql, schema }: Journal, rebuild: Rebuild): Promise<Rebuild> {
  const retire = async (session: Session) => {
    const journal = await lockJournal(session, sql, rebuild.id);
    expectState(rebuild.id, journal, ['swapped']);
    const doomed = journal.tables.map(({ old, liveId }) => ({ name: old, id: liveId }));
    await dropTables(session, sql, schema, doomed);
    return endRebuild(session, sql, rebuild, 'retired', journal);
  };
  return database.transaction(retire, { prelude: lockTimeout(dropLockTimeoutMs) });
}

export async function readRebuild(session: Session, sql: SqlFolder, id: number): Promise<Rebuild> {
  const [row] = await session.query(sql('rebuilds'), [null, id]);
  if (row === undefined) throw noRebuild(id);
  return toRebuild(row);
}

/** @throws E_SUPERSEDED when a lease is given and this process does not hold it any more */
export async function lockJournal(
  session: Session,
  sql: SqlFolder,
  id: number,
  lease?: Lease,
): Promise<JournalRow<number>> {
  const [row] = await session.query(sql('lock-rebuild'), [id, lease?.token ?? null]);
  if (row === undefined) throw lease === undefined ? noRebuild(id) : superseded(lease);
  return toJournalRow(row);
}

async function endRebuild(
  session: Session,
  sql: SqlFolder,
  { id, projection }: Rebuild,
  state: 'aborted' | 'retired',
  { tables }: JournalRow<number>,
): Promise<Rebuild> {
  await session.query(sql('forget-parked'), [projection, id, 0]);
  await session.query(sql('set-rebuild-state'), [id, state, JSON.stringify(tables)]);
  await session.query(sql('drop-inlined'), [projection, id]);
  return readRebuild(session, sql, id);
}

/** Returns the tables that will replace a live one. */
function toChanges(schema: string, tables: readonly Table[]): readonly Change[] {
  return tables.flatMap(({ live, built, old, liveId, builtId }) =>
    liveId === null || builtId === null
      ? []
      : [{ schema, live, outgoing: { id: liveId, name: old }, incoming: { id: builtId, name: built } }],
  );
}

async function dropTables(
  session: Session,
  sql: SqlFolder,
  schema: string,
  doomed: readonly { readonly name: string; readonly id: number | null }[],
): Promise<void> {
  const names = doomed.map(({ name }) => name);
  const found = await findTables(session, sql, schema, names);
  for (const { name, id } of doomed) {
    if (!found.has(name)) continue;
    if (found.get(name) !== id) throw strangerAt(name);
    await session.query(`drop table ${qualify(schema, name)}`);
  }
}
