/** The journal of rebuilds, and the tables each one creates and drops. */
import { checkStatementNames, nameTarget } from '../../../domain/names.js';
import type { ReadModel, TableSpec } from '../../../domain/read-model.js';
import {
  expectState,
  firstLease,
  type JournalRow,
  notLive,
  planTables,
  rebuildNamesTaken,
  toJournalRow,
  toJournalTables,
  toRebuild,
  unfinishedRebuild,
} from '../../shared/journal.js';
import { noRebuild, superseded } from '../../shared/leases.js';
import { missingReadModel } from '../../shared/records.js';
import { dependsOn } from '../../shared/registry.js';
import { toInteger } from '../../shared/rows.js';
import type { Lease, LeaseRequest, Rebuild, RebuildPlan } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { detailOf, isConflict, sqlState } from '../connection/errors.js';
import { indexesOf, isTooLong, tooLongForIndex } from '../read-models/index-limit.js';
import { createIndexes, createTable, longestRow, qualify, runStatement } from '../read-models/read-model.js';
import { searchPath } from '../schema/schema-name.js';
import { assertColumns, type Change, catalogSettings, listMade, prepareEmpty, prepareParts } from './dependents.js';
import { findTables, findTaken, inspectTables, summarise } from './inspect.js';
import { describeTables, hasStranger, recogniseTables, type Table } from './recognise.js';

const dropLockTimeoutMs = 5000;
const dependentObjects = '2BP01';

export async function startRebuild(
  database: Database,
  plan: RebuildPlan,
  request: LeaseRequest,
): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
  const { projection, version, codeHash } = plan;
  const start = async (session: Session) => {
    const facts = summarise(await inspectTables(session, plan.tables));
    const { owner, process = null, ttlMs } = request;
    const parameters = [projection, version, codeHash, facts, owner, ttlMs, process];
    const [row] = await session.ask('start-rebuild', parameters);
    const [id, token] = [toInteger(row?.[0]), toInteger(row?.[1])];
    const tables = planTables(plan, id, await findTables(session, plan.tables));
    const taken = await findTaken(
      session,
      tables.flatMap(({ built, old }) => [built, old]),
    );
    if (taken.length > 0) throw rebuildNamesTaken(projection, taken);
    await session.ask('set-rebuild-state', [id, 'planned', await describeTables(session, tables)]);
    await session.ask('set-rebuild-target', [id, nameTarget(projection, version, id)]);
    return { rebuild: await readRebuild(session, id), lease: firstLease(id, token, request) };
  };
  try {
    return await database.transaction(start, { prelude: catalogSettings });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const [other] = await database.ask('unfinished-rebuild', [projection]);
    throw unfinishedRebuild(projection, other, error);
  }
}

export function createRebuildTables(
  database: Database,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  const create = async (session: Session) => {
    const journal = await lockJournal(session, rebuild.id, lease);
    if (journal.state !== 'planned') return readRebuild(session, rebuild.id);
    const built = new Map(journal.tables.map((table) => [table.live, table.built]));
    const taken = await findTaken(session, [...built.values()]);
    if (taken.length > 0) throw rebuildNamesTaken(rebuild.projection, taken);
    const physical = (name: string) => built.get(name) ?? name;
    if (model.kind === 'table') {
      await session.query(createTable(session.schema, model.spec, physical(model.spec.name)));
    } else if (model.kind === 'sql') {
      const statements = model.create(physical);
      checkStatementNames(statements);
      for (const statement of statements) await runStatement(session, statement);
    }
    const found = await findTables(session, [...built.values()]);
    const tables = journal.tables.map((table) => ({ ...table, builtId: found.get(table.built) ?? null }));
    const missing = tables.find(({ builtId }) => builtId === null);
    if (missing !== undefined) throw missingReadModel(missing.live);
    await session.query(catalogSettings);
    for (const change of toChanges(session.schema, tables)) {
      await assertColumns(session, change);
      await prepareEmpty(session, change);
    }
    await session.ask('set-rebuild-state', [rebuild.id, 'filling', await describeTables(session, tables)]);
    return readRebuild(session, rebuild.id);
  };
  return database.transaction(create, { prelude: searchPath(database.schema) });
}

export function finishFill(database: Database, rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild> {
  const finish = async (session: Session) => {
    const journal = await lockJournal(session, rebuild.id, lease);
    if (journal.state === 'ready') return readRebuild(session, rebuild.id);
    expectState(rebuild.id, journal, ['filling']);
    if (model.kind === 'table') {
      const built = journal.tables.find(({ live }) => live === model.spec.name)?.built ?? model.spec.name;
      for (const statement of createIndexes(session.schema, model.spec, built)) await session.query(statement);
    }
    const tables: Table[] = [];
    for (const table of journal.tables) {
      tables.push(table.builtId === null ? table : { ...table, made: await listMade(session, table.builtId) });
    }
    for (const change of toChanges(session.schema, tables)) await prepareParts(session, change);
    for (const { built } of tables) await session.query(`analyze ${qualify(session.schema, built)}`);
    await session.ask('set-rebuild-state', [rebuild.id, 'ready', await describeTables(session, tables)]);
    return readRebuild(session, rebuild.id);
  };
  return database.transaction(finish, { prelude: catalogSettings }).catch(async (error: unknown) => {
    throw isTooLong(error) && model.kind === 'table' ? await findLongRow(database, rebuild, model.spec, error) : error;
  });
}

/** Reads the built table once. An index added by hand, whose columns are unknown here, leaves the error as it is. */
async function findLongRow(database: Database, { projection, tables }: Rebuild, spec: TableSpec, cause: unknown) {
  const built = tables.find(({ live }) => live === spec.name)?.built ?? spec.name;
  for (const index of indexesOf(spec, built)) {
    const [row] = await database.query(longestRow(database.schema, built, spec.key, index.columns));
    if (row === undefined) continue;
    const key = spec.key.map((name, at) => [name, row[at + 2] ?? null] as const);
    const others = toInteger(row[1]) - 1;
    const next = `evstore rebuild ${projection} --restart`;
    return tooLongForIndex({ projection, index, bytes: toInteger(row[0]), key, others }, cause, next);
  }
  return cause;
}

export function abortRebuild(database: Database, rebuild: Rebuild, lease: Lease): Promise<Rebuild> {
  const abort = async (session: Session) => {
    const journal = await lockJournal(session, rebuild.id, lease);
    expectState(rebuild.id, journal, ['planned', 'filling', 'ready']);
    await dropTables(session, await matchTables(session, notLive(journal)), `evstore abort ${rebuild.projection}`);
    return endRebuild(session, rebuild, 'aborted', journal);
  };
  return database.transaction(abort, { prelude: lockTimeout(dropLockTimeoutMs) });
}

export function retireRebuild(database: Database, rebuild: Rebuild): Promise<Rebuild> {
  const retire = async (session: Session) => {
    const journal = await lockJournal(session, rebuild.id);
    expectState(rebuild.id, journal, ['swapped']);
    await dropTables(session, await matchTables(session, notLive(journal)), 'evstore gc --now');
    return endRebuild(session, rebuild, 'retired', journal);
  };
  return database.transaction(retire, { prelude: lockTimeout(dropLockTimeoutMs) });
}

export async function readRebuild(session: Session, id: number): Promise<Rebuild> {
  const [row] = await session.ask('rebuilds', [null, id]);
  if (row === undefined) throw noRebuild(id);
  return toRebuild(row);
}

/** @throws E_SUPERSEDED when a lease is given and this process does not hold it any more */
export async function lockJournal(session: Session, id: number, lease?: Lease): Promise<JournalRow<number>> {
  const [row] = await session.ask('lock-rebuild', [id, lease?.token ?? null]);
  if (row === undefined) throw lease === undefined ? noRebuild(id) : superseded(lease);
  const journal = toJournalRow<number>(row);
  const tables = await recogniseTables(session, journal);
  // From now on they are known by the oids they have here.
  if (tables !== journal.tables && !hasStranger(journal.tables, tables)) {
    await session.ask('set-rebuild-state', [id, journal.state, await describeTables(session, tables)]);
  }
  return { ...journal, tables };
}

export async function endRebuild(
  session: Session,
  { id, projection }: Rebuild,
  state: 'aborted' | 'retired',
  { tables }: Pick<JournalRow<number>, 'tables'>,
): Promise<Rebuild> {
  await session.ask('forget-parked', [projection, id, 0]);
  await session.ask('set-rebuild-state', [id, state, JSON.stringify(tables)]);
  await session.ask('drop-inlined', [projection, id]);
  return readRebuild(session, id);
}

/** Returns the tables that will replace a live one. */
function toChanges(schema: string, tables: readonly Table[]): readonly Change[] {
  return tables.flatMap(({ live, built, old, liveId, builtId }) =>
    liveId === null || builtId === null
      ? []
      : [{ schema, live, outgoing: { id: liveId, name: old }, incoming: { id: builtId, name: built } }],
  );
}

/**
 * In one statement, because they may refer to each other.
 * @param next the command to repeat
 * @throws E_UNSAFE_STORE naming what depends on one of them
 */
export async function dropTables(session: Session, names: readonly string[], next: string): Promise<void> {
  const list = names.map((name) => qualify(session.schema, name)).join(', ');
  try {
    if (names.length > 0) await session.query(`drop table ${list}`);
  } catch (error) {
    if (sqlState(error) !== dependentObjects) throw error;
    throw dependsOn(detailOf(error).split('\n'), next, error);
  }
}

/** Returns the tables of a rebuild that are not live, that exist and are those it made or replaced. */
export async function findOwnTables(session: Session, { id }: Rebuild): Promise<readonly string[]> {
  const [row] = await session.ask('rebuilds', [null, id]);
  if (row === undefined) throw noRebuild(id);
  const { state, tables } = toJournalTables<number>(row);
  return matchTables(session, notLive({ state, tables: await recogniseTables(session, { state, tables }) }));
}

async function matchTables(session: Session, tables: ReturnType<typeof notLive<number>>): Promise<readonly string[]> {
  const found = await findTables(
    session,
    tables.map(({ name }) => name),
  );
  return tables.flatMap(({ name, id }) => (id !== null && found.get(name) === id ? [name] : []));
}
