/** The journal of rebuilds, and the tables each one creates and drops. */
import { checkStatementNames, nameTarget } from '../../../domain/names.js';
import type { ReadModel } from '../../../domain/read-model.js';
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
import type { Database, Session } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import { nextToken } from '../read-models/leases.js';
import { createIndexes, createTable, runStatement } from '../read-models/read-model.js';
import { findTables, findTaken, inspectTables, summarise } from './inspect.js';

export async function startRebuild(
  database: Database,
  plan: RebuildPlan,
  request: LeaseRequest,
): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
  const { projection, version, codeHash } = plan;
  const start = (session: Session) => {
    const facts = summarise(inspectTables(session, plan.tables));
    const { owner, process = null, ttlMs } = request;
    const parameters = [projection, version, codeHash, facts, owner, ttlMs, nextToken(session), process];
    const [row] = session.ask('start-rebuild', parameters);
    const [id, token] = [toInteger(row?.[0]), toInteger(row?.[1])];
    const tables = planTables(plan, id, findTables(session, plan.tables));
    const taken = findTaken(
      session,
      tables.flatMap(({ built, old }) => [built, old]),
    );
    if (taken.length > 0) throw rebuildNamesTaken(projection, taken);
    session.ask('set-rebuild-state', [id, 'planned', JSON.stringify(tables)]);
    session.ask('set-rebuild-target', [id, nameTarget(projection, version, id)]);
    return { rebuild: readRebuild(session, id), lease: firstLease(id, token, request) };
  };
  try {
    return await database.transaction(start);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const [other] = await database.read((session) => session.ask('unfinished-rebuild', [projection]));
    throw unfinishedRebuild(projection, other, error);
  }
}

export function createRebuildTables(
  database: Database,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  return database.transaction((session) => {
    const journal = lockJournal(session, rebuild.id, lease);
    if (journal.state !== 'planned') return readRebuild(session, rebuild.id);
    const built = new Map(journal.tables.map((table) => [table.live, table.built]));
    const taken = findTaken(session, [...built.values()]);
    if (taken.length > 0) throw rebuildNamesTaken(rebuild.projection, taken);
    const physical = (name: string) => built.get(name) ?? name;
    if (model.kind === 'table') {
      session.run(createTable(model.spec, physical(model.spec.name)));
    } else if (model.kind === 'sql') {
      const statements = model.create(physical);
      checkStatementNames(statements);
      for (const statement of statements) runStatement(session, statement);
    }
    const found = findTables(session, [...built.values()]);
    const tables = journal.tables.map((table) => ({ ...table, builtId: found.get(table.built) ?? null }));
    const missing = tables.find(({ builtId }) => builtId === null);
    if (missing !== undefined) throw missingReadModel(missing.live);
    session.ask('set-rebuild-state', [rebuild.id, 'filling', JSON.stringify(tables)]);
    return readRebuild(session, rebuild.id);
  });
}

export function finishFill(database: Database, rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild> {
  return database.transaction((session) => {
    const journal = lockJournal(session, rebuild.id, lease);
    if (journal.state === 'ready') return readRebuild(session, rebuild.id);
    expectState(rebuild.id, journal, ['filling']);
    if (model.kind === 'table') {
      const built = journal.tables.find(({ live }) => live === model.spec.name)?.built ?? model.spec.name;
      for (const statement of createIndexes(model.spec, built)) session.run(statement);
    }
    session.ask('set-rebuild-state', [rebuild.id, 'ready', JSON.stringify(journal.tables)]);
    return readRebuild(session, rebuild.id);
  });
}

export function abortRebuild(database: Database, rebuild: Rebuild, lease: Lease): Promise<Rebuild> {
  return database.alteration((session) => {
    const journal = lockJournal(session, rebuild.id, lease);
    expectState(rebuild.id, journal, ['planned', 'filling', 'ready']);
    dropTables(session, matchTables(session, notLive(journal)), `evstore abort ${rebuild.projection}`);
    return endRebuild(session, rebuild, 'aborted', journal);
  });
}

export function retireRebuild(database: Database, rebuild: Rebuild): Promise<Rebuild> {
  return database.alteration((session) => {
    const journal = lockJournal(session, rebuild.id);
    expectState(rebuild.id, journal, ['swapped']);
    dropTables(session, matchTables(session, notLive(journal)), 'evstore gc --now');
    return endRebuild(session, rebuild, 'retired', journal);
  });
}

export function readRebuild(session: Session, id: number): Rebuild {
  const [row] = session.ask('rebuilds', [null, id]);
  if (row === undefined) throw noRebuild(id);
  return toRebuild(row);
}

/** @throws E_SUPERSEDED when a lease is given and this process does not hold it any more */
export function lockJournal(session: Session, id: number, lease?: Lease): JournalRow<string> {
  const [row] = session.ask('lock-rebuild', [id, lease?.token ?? null]);
  if (row === undefined) throw lease === undefined ? noRebuild(id) : superseded(lease);
  return toJournalRow(row);
}

export function endRebuild(
  session: Session,
  { id, projection }: Rebuild,
  state: 'aborted' | 'retired',
  { tables }: Pick<JournalRow<string>, 'tables'>,
): Rebuild {
  session.ask('forget-parked', [projection, id, 0]);
  session.ask('set-rebuild-state', [id, state, JSON.stringify(tables)]);
  session.ask('drop-inlined', [projection, id]);
  return readRebuild(session, id);
}

/**
 * @param session in an alteration, which allows tables that refer to each other
 * @param next the command to repeat
 * @throws E_UNSAFE_STORE naming what depends on one of them: SQLite would drop them without a word
 */
export function dropTables(session: Session, names: readonly string[], next: string): void {
  const dependents = inspectTables(session, names).flatMap(({ table, carried }) =>
    carried
      .filter(({ kind, name }) => (kind === 'view' || kind === 'foreign key') && !names.includes(name))
      .map(({ kind, name }) => `${kind === 'view' ? 'view' : 'a foreign key of'} ${name} depends on table ${table}`),
  );
  if (dependents.length > 0) throw dependsOn(dependents, next);
  for (const name of names) session.run(`drop table ${quoteIdentifier(name)}`);
}

/** Returns the tables of a rebuild that are not live, that exist and are those it made or replaced. */
export function findOwnTables(session: Session, { id }: Rebuild): readonly string[] {
  const [row] = session.ask('rebuilds', [null, id]);
  if (row === undefined) throw noRebuild(id);
  return matchTables(session, notLive<string>(toJournalTables(row)));
}

function matchTables(session: Session, tables: ReturnType<typeof notLive<string>>): readonly string[] {
  const found = findTables(
    session,
    tables.map(({ name }) => name),
  );
  return tables.flatMap(({ name, id }) => (id !== null && found.get(name) === id ? [name] : []));
}
