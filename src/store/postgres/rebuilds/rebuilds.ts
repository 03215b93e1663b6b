/** The journal of rebuilds, and the tables each one makes and drops. */
import { EvstoreError } from '../../../domain/errors.js';
import { checkRebuildTables, checkStatementNames, nameRebuildTables, nameTarget } from '../../../domain/names.js';
import type { ReadModel } from '../../../domain/read-model.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, LeaseRequest, Rebuild, RebuildPlan, RebuildState, RebuildTable } from '../../store.js';
import { type Database, lockTimeout, type RawRow, type Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { toInteger, toOptional, toText, toTimestamp } from '../connection/rows.js';
import { superseded } from '../read-models/leases.js';
import { forgetParked } from '../read-models/parked.js';
import { createIndexes, createTable, qualify, runStatement } from '../read-models/read-model.js';
import { searchPath } from '../schema/schema-name.js';
import { assertColumns, type Change, catalogSettings, listMade, prepareEmpty, prepareParts } from './dependents.js';
import { findOids, inspectTables, summariseFacts } from './inspect.js';

const dropLockTimeoutMs = 5000;
const states: readonly RebuildState[] = ['planned', 'filling', 'ready', 'swapped', 'retired', 'aborted'];

/** With the identities recorded as the tables were found and made. */
export interface JournalTable extends RebuildTable {
  /** Of the table that is live until the swap and old afterwards. */
  readonly liveOid: number | null;
  /** Of the table the rebuild fills, live after the swap. */
  readonly builtOid: number | null;
  /** What the definition made of the table the rebuild fills: a rollback does not carry it to the old one. */
  readonly made?: readonly string[];
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
  readonly schema: string;
}

export async function listRebuilds(session: Session, sql: SqlFolder, projection?: string): Promise<readonly Rebuild[]> {
  const rows = await session.query(sql('rebuilds'), [projection ?? null, null]);
  return rows.map(toRebuild);
}

export async function readRebuild(session: Session, sql: SqlFolder, id: number): Promise<Rebuild> {
  const [row] = await session.query(sql('rebuilds'), [null, id]);
  if (row !== undefined) return toRebuild(row);
  throw new EvstoreError('E_NOT_FOUND', `there is no rebuild ${id}`, { next: 'evstore projections' });
}

export async function startRebuild(
  { database, sql, schema }: Journal,
  plan: RebuildPlan,
  request: LeaseRequest,
): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
  const { projection, version, codeHash } = plan;
  try {
    return await database.transaction(
      async (session) => {
        const facts = summariseFacts(await inspectTables(session, sql, schema, plan.tables));
        const parameters = [projection, version, codeHash, facts, request.owner, request.ttlMs];
        const [row] = await session.query(sql('start-rebuild'), parameters);
        const [id, token] = [toInteger(row?.[0]), toInteger(row?.[1])];
        const oids = await findOids(session, sql, schema, plan.tables);
        const tables = plan.tables.map((live) => nameTables(plan, live, id, oids.get(live) ?? null));
        await session.query(sql('set-rebuild-state'), [id, 'planned', JSON.stringify(tables)]);
        await session.query(sql('set-rebuild-target'), [id, nameTarget(projection, version, id)]);
        const lease: Lease = {
          target: { kind: 'rebuild', id },
          owner: request.owner,
          token,
          generation: 0,
          position: 0,
        };
        return { rebuild: await readRebuild(session, sql, id), lease };
      },
      { prelude: catalogSettings },
    );
  } catch (error) {
    throw sqlState(error) === '23505' ? await describeOther(database, sql, projection, error) : error;
  }
}

export function createRebuildTables(
  { database, sql, schema }: Journal,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  return database.transaction(
    async (session) => {
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
      const oids = await findOids(session, sql, schema, [...built.values()]);
      const tables = journal.tables.map((table) => ({ ...table, builtOid: oids.get(table.built) ?? null }));
      const missing = tables.find(({ builtOid }) => builtOid === null);
      if (missing !== undefined) throw missingTable(missing.live);
      await session.query(catalogSettings);
      for (const change of toChanges(schema, tables)) {
        await assertColumns(session, sql, change);
        await prepareEmpty(session, sql, change);
      }
      await session.query(sql('set-rebuild-state'), [rebuild.id, 'filling', JSON.stringify(tables)]);
      return readRebuild(session, sql, rebuild.id);
    },
    { prelude: searchPath(schema) },
  );
}

export function finishFill(
  { database, sql, schema }: Journal,
  rebuild: Rebuild,
  lease: Lease,
  model: ReadModel,
): Promise<Rebuild> {
  return database.transaction(
    async (session) => {
      const journal = await lockJournal(session, sql, rebuild.id, lease);
      if (journal.state === 'ready') return readRebuild(session, sql, rebuild.id);
      expectState(rebuild.id, journal, ['filling']);
      if (model.kind === 'table') {
        const built = journal.tables.find(({ live }) => live === model.spec.name)?.built ?? model.spec.name;
        for (const statement of createIndexes(schema, model.spec, built)) await session.query(statement);
      }
      const tables: JournalTable[] = [];
      for (const table of journal.tables) {
        tables.push(table.builtOid === null ? table : { ...table, made: await listMade(session, sql, table.builtOid) });
      }
      for (const change of toChanges(schema, tables)) await prepareParts(session, sql, change);
      for (const { built } of tables) await session.query(`analyze ${qualify(schema, built)}`);
      await session.query(sql('set-rebuild-state'), [rebuild.id, 'ready', JSON.stringify(tables)]);
      return readRebuild(session, sql, rebuild.id);
    },
    { prelude: catalogSettings },
  );
}

export function abortRebuild({ database, sql, schema }: Journal, rebuild: Rebuild, lease: Lease): Promise<Rebuild> {
  return database.transaction(
    async (session) => {
      const journal = await lockJournal(session, sql, rebuild.id, lease);
      expectState(rebuild.id, journal, ['planned', 'filling', 'ready']);
      const doomed = journal.tables.map(({ built, builtOid }) => ({ name: built, oid: builtOid }));
      await dropTables(session, sql, schema, doomed);
      await forgetParked(session, sql, rebuild.projection, rebuild.id);
      await session.query(sql('set-rebuild-state'), [rebuild.id, 'aborted', JSON.stringify(journal.tables)]);
      await session.query(sql('drop-inlined'), [rebuild.projection, rebuild.id]);
      return readRebuild(session, sql, rebuild.id);
    },
    { prelude: lockTimeout(dropLockTimeoutMs) },
  );
}

export function retireRebuild({ database, sql, schema }: Journal, rebuild: Rebuild): Promise<Rebuild> {
  return database.transaction(
    async (session) => {
      const journal = await lockJournal(session, sql, rebuild.id);
      expectState(rebuild.id, journal, ['swapped']);
      const doomed = journal.tables.map(({ old, liveOid }) => ({ name: old, oid: liveOid }));
      await dropTables(session, sql, schema, doomed);
      await forgetParked(session, sql, rebuild.projection, rebuild.id);
      await session.query(sql('set-rebuild-state'), [rebuild.id, 'retired', JSON.stringify(journal.tables)]);
      await session.query(sql('drop-inlined'), [rebuild.projection, rebuild.id]);
      return readRebuild(session, sql, rebuild.id);
    },
    { prelude: lockTimeout(dropLockTimeoutMs) },
  );
}

/** @throws E_SUPERSEDED when the lease is given and is not ours any more */
export async function lockJournal(session: Session, sql: SqlFolder, id: number, lease?: Lease): Promise<JournalRow> {
  const [row] = await session.query(sql('lock-rebuild'), [id, lease?.token ?? null]);
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

/** Those tables that have a live one to take the place of. */
function toChanges(schema: string, tables: readonly JournalTable[]): readonly Change[] {
  return tables.flatMap(({ live, built, old, liveOid, builtOid }) =>
    liveOid === null || builtOid === null
      ? []
      : [{ schema, live, outgoing: { oid: liveOid, name: old }, incoming: { oid: builtOid, name: built } }],
  );
}

/** Names of a rebuild's tables: refused here, before any is made, when one would be too long. */
function nameTables(plan: RebuildPlan, live: string, id: number, liveOid: number | null): JournalTable {
  const names = nameRebuildTables(live, plan.version, id);
  checkRebuildTables(names);
  return { ...names, liveOid, builtOid: null };
}

async function dropTables(
  session: Session,
  sql: SqlFolder,
  schema: string,
  doomed: readonly { readonly name: string; readonly oid: number | null }[],
): Promise<void> {
  const oids = await findOids(
    session,
    sql,
    schema,
    doomed.map(({ name }) => name),
  );
  for (const { name, oid } of doomed) {
    const found = oids.get(name);
    if (found === undefined) continue;
    if (found !== oid) throw strangerAt(name);
    await session.query(`drop table ${qualify(schema, name)}`);
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
  const [row] = await database.query(sql('unfinished-rebuild'), [projection]);
  if (row === undefined) return cause;
  const [id, state, owner] = row;
  return new EvstoreError('E_LOCK_HELD', `rebuild ${id} of ${projection} is unfinished (${state})`, {
    why: owner === null ? 'Nobody works on it now.' : `${owner} works on it.`,
    next: owner === null ? `evstore rebuild ${projection} --resume` : 'evstore projections',
    details: { rebuild: Number(id), state, owner },
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
    target: row[15] ?? null,
    oldTarget: row[16] ?? null,
  };
}

function toJournalRow(row: RawRow): JournalRow {
  return {
    state: toState(row[0]),
    position: toInteger(row[1]),
    lastEventId: row[2] ?? null,
    audit: row[11] ?? null,
    target: row[12] ?? null,
    oldTarget: row[13] ?? null,
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
            lastEventId: row[10] ?? null,
          },
  };
}

function toState(text: string | null | undefined): RebuildState {
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  throw new EvstoreError('E_CORRUPT', `a rebuild is in the unknown state ${text}`);
}
