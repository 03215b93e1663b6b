/** The journal of rebuilds, and the tables each one makes and drops. */
import { EvstoreError } from '../../../domain/errors.js';
import { checkRebuildTables, checkStatementNames, nameRebuildTables, nameTarget } from '../../../domain/names.js';
import type { ReadModel } from '../../../domain/read-model.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, LeaseRequest, Rebuild, RebuildPlan, RebuildState, RebuildTable } from '../../store.js';
import type { Database, RawRow, RawValue, Session } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import { toInteger, toOptional, toText, toTimestamp } from '../connection/rows.js';
import { nextToken, superseded } from '../read-models/leases.js';
import { forgetParked } from '../read-models/parked.js';
import { createIndexes, createTable, runStatement } from '../read-models/read-model.js';
import { findMarks, inspectTables, summariseFacts } from './inspect.js';

const states: readonly RebuildState[] = ['planned', 'filling', 'ready', 'swapped', 'retired', 'aborted'];

/** With the marks recorded as the tables were found and made. */
export interface JournalTable extends RebuildTable {
  /** Of the table that is live until the swap and old afterwards. */
  readonly liveMark: string | null;
  /** Of the table the rebuild fills, live after the swap. */
  readonly builtMark: string | null;
}

export interface JournalRow {
  readonly state: RebuildState;
  readonly position: number;
  readonly lastEventId: string | null;
  /** Of the tables beside the live ones, as the store keeps it. */
  readonly audit: string | null;
  /** What the rebuild fills, and what it replaced, where those are not in this database. */
  readonly target: string | null;
  readonly oldTarget: string | null;
  readonly tables: readonly JournalTable[];
  readonly facts: string;
  readonly version: number;
  readonly codeHash: string;
  readonly old: {
    readonly version: number;
    readonly codeHash: string;
    /** Null when the parts of the projection stood at different ones. */
    readonly position: number | null;
    readonly lastEventId: string | null;
  } | null;
}

export interface Journal {
  readonly database: Database;
  readonly sql: SqlFolder;
}

export function listRebuilds(session: Session, sql: SqlFolder, projection?: string): readonly Rebuild[] {
  const rows = session.query(sql('rebuilds'), [projection ?? null, null]);
  return rows.map(toRebuild);
}

export function readRebuild(session: Session, sql: SqlFolder, id: number): Rebuild {
  const [row] = session.query(sql('rebuilds'), [null, id]);
  if (row !== undefined) return toRebuild(row);
  throw new EvstoreError('E_NOT_FOUND', `there is no rebuild ${id}`, { next: 'evstore projections' });
}

export async function startRebuild(
  { database, sql }: Journal,
  plan: RebuildPlan,
  request: LeaseRequest,
): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
  const { projection, version, codeHash } = plan;
  try {
    return await database.transaction((session) => {
      const facts = summariseFacts(inspectTables(session, sql, plan.tables));
      const parameters = [projection, version, codeHash, facts, request.owner, request.ttlMs, nextToken(session, sql)];
      const [row] = session.query(sql('start-rebuild'), parameters);
      const [id, token] = [toInteger(row?.[0]), toInteger(row?.[1])];
      const marks = findMarks(session, sql, plan.tables);
      const tables = plan.tables.map((live) => nameTables(plan, live, id, marks.get(live) ?? null));
      session.run(sql('set-rebuild-state'), [id, 'planned', JSON.stringify(tables)]);
      session.run(sql('set-rebuild-target'), [id, nameTarget(projection, version, id)]);
      const lease: Lease = { target: { kind: 'rebuild', id }, owner: request.owner, token, generation: 0, position: 0 };
      return { rebuild: readRebuild(session, sql, id), lease };
    });
  } catch (error) {
    throw isConflict(error) ? await describeOther(database, sql, projection, error) : error;
  }
}

export function createRebuildTables(
  { database, sql }: Journal,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  return database.transaction((session) => {
    const journal = lockJournal(session, sql, rebuild.id, lease);
    if (journal.state !== 'planned') return readRebuild(session, sql, rebuild.id);
    const built = new Map(journal.tables.map((table) => [table.live, table.built]));
    const physical = (name: string) => built.get(name) ?? name;
    if (model.kind === 'table') {
      session.run(createTable(model.spec, physical(model.spec.name)));
    } else if (model.kind === 'sql') {
      const statements = model.create(physical);
      checkStatementNames(statements);
      for (const statement of statements) runStatement(session, statement);
    }
    const marks = findMarks(session, sql, [...built.values()]);
    const tables = journal.tables.map((table) => ({ ...table, builtMark: marks.get(table.built) ?? null }));
    const missing = tables.find(({ builtMark }) => builtMark === null);
    if (missing !== undefined) throw missingTable(missing.live);
    session.run(sql('set-rebuild-state'), [rebuild.id, 'filling', JSON.stringify(tables)]);
    return readRebuild(session, sql, rebuild.id);
  });
}

export function finishFill(
  { database, sql }: Journal,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  return database.transaction((session) => {
    const journal = lockJournal(session, sql, rebuild.id, lease);
    if (journal.state === 'ready') return readRebuild(session, sql, rebuild.id);
    expectState(rebuild.id, journal, ['filling']);
    if (model.kind === 'table') {
      const built = journal.tables.find(({ live }) => live === model.spec.name)?.built ?? model.spec.name;
      for (const statement of createIndexes(model.spec, built)) session.run(statement);
    }
    session.run(sql('set-rebuild-state'), [rebuild.id, 'ready', JSON.stringify(journal.tables)]);
    return readRebuild(session, sql, rebuild.id);
  });
}

export function abortRebuild({ database, sql }: Journal, rebuild: Rebuild, lease: Lease): Promise<Rebuild> {
  return database.transaction((session) => {
    const journal = lockJournal(session, sql, rebuild.id, lease);
    expectState(rebuild.id, journal, ['planned', 'filling', 'ready']);
    const doomed = journal.tables.map(({ built, builtMark }) => ({ name: built, mark: builtMark }));
    dropTables(session, sql, doomed);
    forgetParked(session, sql, rebuild.projection, rebuild.id);
    session.run(sql('set-rebuild-state'), [rebuild.id, 'aborted', JSON.stringify(journal.tables)]);
    session.run(sql('drop-inlined'), [rebuild.projection, rebuild.id]);
    return readRebuild(session, sql, rebuild.id);
  });
}

export function retireRebuild({ database, sql }: Journal, rebuild: Rebuild): Promise<Rebuild> {
  return database.transaction((session) => {
    const journal = lockJournal(session, sql, rebuild.id);
    expectState(rebuild.id, journal, ['swapped']);
    const doomed = journal.tables.map(({ old, liveMark }) => ({ name: old, mark: liveMark }));
    dropTables(session, sql, doomed);
    forgetParked(session, sql, rebuild.projection, rebuild.id);
    session.run(sql('set-rebuild-state'), [rebuild.id, 'retired', JSON.stringify(journal.tables)]);
    session.run(sql('drop-inlined'), [rebuild.projection, rebuild.id]);
    return readRebuild(session, sql, rebuild.id);
  });
}

/** @throws E_SUPERSEDED when the lease is given and is not ours any more */
export function lockJournal(session: Session, sql: SqlFolder, id: number, lease?: Lease): JournalRow {
  const [row] = session.query(sql('lock-rebuild'), [id, lease?.token ?? null]);
  if (row !== undefined) return toJournalRow(row);
  if (lease !== undefined) throw superseded(lease);
  throw new EvstoreError('E_NOT_FOUND', `there is no rebuild ${id}`, { next: 'evstore projections' });
}

/** @throws E_SUPERSEDED */
export function expectState(id: number, { state }: JournalRow, wanted: readonly RebuildState[]): void {
  if (wanted.includes(state)) return;
  throw new EvstoreError('E_SUPERSEDED', `rebuild ${id} is ${state}, not ${wanted.join(' or ')}`, {
    why: 'Another process has moved it on.',
    next: 'evstore projections',
  });
}

/** Names of a rebuild's tables: refused here, before any is made, when one would be too long. */
function nameTables(plan: RebuildPlan, live: string, id: number, liveMark: string | null): JournalTable {
  const names = nameRebuildTables(live, plan.version, id);
  checkRebuildTables(names);
  return { ...names, liveMark, builtMark: null };
}

function dropTables(
  session: Session,
  sql: SqlFolder,
  doomed: readonly { readonly name: string; readonly mark: string | null }[],
): void {
  const marks = findMarks(
    session,
    sql,
    doomed.map(({ name }) => name),
  );
  for (const { name, mark } of doomed) {
    const found = marks.get(name);
    if (found === undefined) continue;
    if (found !== mark) throw strangerAt(name);
    session.run(`drop table ${quoteIdentifier(name)}`);
  }
}

export function strangerAt(table: string): EvstoreError {
  return new EvstoreError('E_UNSAFE_STORE', `table ${table} is not the one this rebuild knows`, {
    why: 'It was dropped, renamed or made again by somebody else since. Nothing has been changed.',
    next: 'evstore projections',
    details: { table },
  });
}

export function missingTable(table: string): EvstoreError {
  return new EvstoreError('E_CONFIG', `create() of the projection made no table ${table}`, {
    why: 'Each name in `tables` must be made under the name that create() is given for it.',
  });
}

async function describeOther(database: Database, sql: SqlFolder, projection: string, cause: unknown): Promise<unknown> {
  const [row] = await database.read((session) => session.query(sql('unfinished-rebuild'), [projection]));
  if (row === undefined) return cause;
  const [id, state, owner] = row;
  return new EvstoreError('E_LOCK_HELD', `rebuild ${id} of ${projection} is unfinished (${state})`, {
    why: owner === null ? 'Nobody works on it now.' : `${owner} works on it.`,
    next: owner === null ? `evstore rebuild ${projection} --resume` : 'evstore projections',
    details: { rebuild: id, state, owner },
    cause,
  });
}

function toRebuild(row: RawRow): Rebuild {
  const tables: readonly JournalTable[] = JSON.parse(toText(row[6]));
  return {
    id: toInteger(row[0]),
    projection: toText(row[1]),
    version: toInteger(row[2]),
    codeHash: toText(row[3]),
    state: toState(row[4]),
    position: toInteger(row[5]),
    tables: tables.map(({ live, built, old }) => ({ live, built, old })),
    old:
      row[7] === null
        ? null
        : { version: toInteger(row[7]), codeHash: toText(row[8]), position: toOptional(row[9], toInteger) },
    owner: toOptional(row[10], toText),
    createdAt: toTimestamp(row[11]),
    updatedAt: toTimestamp(row[12]),
    swappedAt: toOptional(row[13], toTimestamp),
    keepOldUntil: toOptional(row[14], toTimestamp),
    target: toOptional(row[15], toText),
    oldTarget: toOptional(row[16], toText),
  };
}

function toJournalRow(row: RawRow): JournalRow {
  return {
    state: toState(row[0]),
    position: toInteger(row[1]),
    lastEventId: toOptional(row[2], toText),
    audit: toOptional(row[11], toText),
    target: toOptional(row[12], toText),
    oldTarget: toOptional(row[13], toText),
    tables: JSON.parse(toText(row[3])),
    facts: toText(row[4]),
    version: toInteger(row[5]),
    codeHash: toText(row[6]),
    old:
      row[7] === null
        ? null
        : {
            version: toInteger(row[7]),
            codeHash: toText(row[8]),
            position: toOptional(row[9], toInteger),
            lastEventId: toOptional(row[10], toText),
          },
  };
}

function toState(text: RawValue | undefined): RebuildState {
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  throw new EvstoreError('E_CORRUPT', `a rebuild is in the unknown state ${text}`);
}
