/** Read models, their checkpoints and their rebuilds on SQLite. */
import { parseAudit, writeAuditFilter } from '../../domain/audit.js';
import { EvstoreError } from '../../domain/errors.js';
import { checkIdentifier, nameTarget } from '../../domain/names.js';
import { modeOf } from '../../domain/projection-mode.js';
import { type ReadModel, type Statement, type StoredRow, type TableSpec, tablesOf } from '../../domain/read-model.js';
import type { SqlFolder } from '../shared/sql.js';
import type {
  AppliedBatch,
  Checkpoint,
  CodeVersion,
  Comparison,
  Cursor,
  Lease,
  LeaseAnswer,
  LeaseRequest,
  LeaseTarget,
  ParkedCount,
  ParkedEvent,
  ParkedFilter,
  ProjectionRecord,
  ProjectionStore,
  Rebuild,
  RebuildPlan,
  Registration,
  RollbackOptions,
  SwapLeases,
  TableFacts,
  TableSizes,
  Vitals,
} from '../store.js';
import type { Database, Parameter, RawRow, Session } from './connection/database.js';
import { quoteIdentifier } from './connection/literals.js';
import { toInteger, toOptional, toText, toTimestamp } from './connection/rows.js';
import { resolveChanges } from './log/inline.js';
import { acquireLease, fence, releaseLease, renewLease, superseded } from './read-models/leases.js';
import { applyParked, countParked, forgetParked, listParked, listParkedStreams } from './read-models/parked.js';
import { divide } from './read-models/parts.js';
import { applyChanges, createIndexes, createTable, readRows, runStatement } from './read-models/read-model.js';
import { compareTables, select } from './rebuilds/compare.js';
import { findMarks, inspectTables } from './rebuilds/inspect.js';
import {
  abortRebuild,
  createRebuildTables,
  finishFill,
  type Journal,
  listRebuilds,
  missingTable,
  retireRebuild,
  startRebuild,
} from './rebuilds/rebuilds.js';
import { measureTables } from './rebuilds/sizes.js';
import { rollback, swap } from './rebuilds/swap.js';

export class SqliteProjectionStore implements ProjectionStore {
  readonly #database: Database;
  readonly #sql: SqlFolder;

  constructor(database: Database, sql: SqlFolder) {
    this.#database = database;
    this.#sql = sql;
  }

  async list(): Promise<readonly ProjectionRecord[]> {
    const rows = await this.#database.read((session) => session.query(this.#sql('projections'), [null]));
    return rows.map(toProjectionRecord);
  }

  register(registration: Registration): Promise<ProjectionRecord> {
    const { name, version, codeHash, model } = registration;
    const tables = tablesOf(model);
    const target = model.kind === 'external' ? nameTarget(name, version) : null;
    for (const table of tables) checkIdentifier(table);
    return this.#writable().transaction((session) => {
      const parameters = [name, version, codeHash, JSON.stringify(tables), target];
      const [added] = session.query(this.#sql('register-projection'), parameters);
      if (added !== undefined) {
        this.#createLiveTables(session, model, tables);
        session.run(this.#sql('start-checkpoint'), [name]);
        session.run(this.#sql('drop-inlined'), [name, 0]);
      }
      const [row] = session.query(this.#sql('projections'), [name]);
      if (row === undefined) throw new EvstoreError('E_BUG', `projection ${name} vanished while it was registered`);
      return toProjectionRecord(row);
    });
  }

  async checkpoints(): Promise<readonly Checkpoint[]> {
    const rows = await this.#database.read((session) => session.query(this.#sql('checkpoints')));
    return rows.map(toCheckpoint);
  }

  async cursors(): Promise<readonly Cursor[]> {
    const rows = await this.#database.read((session) => session.query(this.#sql('cursors')));
    return rows.map(toCursor);
  }

  async setCheckpoint(subscriptionId: string, position: number | null): Promise<void> {
    await this.#writable().transaction((session) => {
      session.run(this.#sql('forget-inlined'), [subscriptionId, position]);
      const [moved] =
        position === null
          ? session.query(this.#sql('delete-checkpoint'), [subscriptionId])
          : session.query(this.#sql('set-checkpoint'), [subscriptionId, position]);
      if (moved === undefined) throw noCheckpoint(subscriptionId);
      forgetParked(session, this.#sql, subscriptionId, 0, position ?? 0);
    });
  }

  async divide(projection: string, parts: number): Promise<void> {
    return divide(this.#writable(), this.#sql, projection, parts);
  }

  async recordCode(projection: string, { version, codeHash }: CodeVersion): Promise<void> {
    await this.#writable().transaction((session) =>
      session.run(this.#sql('record-code'), [projection, version, codeHash]),
    );
  }

  async acquireLease(target: LeaseTarget, request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#writable().transaction((session) => acquireLease(session, this.#sql, target, request));
  }

  async renewLease(lease: Lease, ttlMs: number, vitals?: Vitals): Promise<boolean> {
    return this.#writable().transaction((session) => renewLease(session, this.#sql, lease, ttlMs, vitals));
  }

  async releaseLease(lease: Lease): Promise<void> {
    await this.#writable().transaction((session) => releaseLease(session, this.#sql, lease));
  }

  async recordError(subscriptionId: string, message: string | null): Promise<void> {
    await this.#writable().transaction((session) => session.run(this.#sql('record-error'), [subscriptionId, message]));
  }

  async readRows(table: string, spec: TableSpec, keys: readonly StoredRow[]): Promise<readonly StoredRow[]> {
    return this.#database.read((session) => readRows(session, table, spec, keys));
  }

  async apply(batch: AppliedBatch): Promise<void> {
    const { lease, side = 'built', from, to, lastEventId, changes, parked } = batch;
    const cursor = lease.target.kind === 'checkpoint' ? 'move-checkpoint' : `move-${side}`;
    await this.#writable().transaction((session) => {
      // The cursor first: whoever was superseded learns it before any work is done.
      const [moved] = session.query(this.#sql(cursor), [
        ...fence(lease),
        from,
        to,
        lastEventId,
        ...auditColumns(batch),
      ]);
      if (moved === undefined) throw superseded(lease);
      const rebuild = lease.target.kind === 'rebuild' ? lease.target.id : 0;
      applyChanges(
        session,
        changes.kind === 'deferred' ? resolveChanges(session, this.#sql, rebuild, changes) : changes,
      );
      if (parked !== undefined) applyParked(session, this.#sql, lease, parked);
    });
  }

  async parked(filter: ParkedFilter = {}): Promise<readonly ParkedEvent[]> {
    return this.#database.read((session) => listParked(session, this.#sql, filter));
  }

  async parkedStreams(projection: string, rebuild: number): Promise<readonly string[]> {
    return this.#database.read((session) => listParkedStreams(session, this.#sql, projection, rebuild));
  }

  async countParked(): Promise<readonly ParkedCount[]> {
    return this.#database.read((session) => countParked(session, this.#sql));
  }

  async restInline(projection: string, forMs: number): Promise<number> {
    return this.#writable().transaction((session) => {
      session.run(this.#sql('rest-inline'), [projection, forMs]);
      return toInteger(session.query(this.#sql('last-inlined'), [projection])[0]?.[0]);
    });
  }

  async countRows(table: string): Promise<number> {
    const [row] = await this.#database.read((session) =>
      session.query(`select count(*) from ${quoteIdentifier(table)}`),
    );
    return toInteger(row?.[0]);
  }

  compareTables(rebuild: Rebuild): AsyncIterable<Comparison> {
    return compareTables(this.#database, this.#sql, rebuild);
  }

  async select(statement: Statement, limit: number): Promise<readonly string[]> {
    return select(this.#database, statement, limit);
  }

  async rebuilds(projection?: string): Promise<readonly Rebuild[]> {
    return this.#database.read((session) => listRebuilds(session, this.#sql, projection));
  }

  async inspectTables(tables: readonly string[]): Promise<readonly TableFacts[]> {
    return this.#database.read((session) => inspectTables(session, this.#sql, tables));
  }

  async measureTables(tables: readonly string[]): Promise<TableSizes> {
    return measureTables(this.#database, this.#sql, tables);
  }

  async startRebuild(
    plan: RebuildPlan,
    request: LeaseRequest,
  ): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
    return startRebuild(this.#journal(), plan, request);
  }

  async createRebuildTables(rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild> {
    return createRebuildTables(this.#journal(), rebuild, lease, model);
  }

  async finishFill(rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild> {
    return finishFill(this.#journal(), rebuild, lease, model);
  }

  async swap(
    rebuild: Rebuild,
    leases: SwapLeases,
    options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
  ): Promise<Rebuild> {
    return swap(this.#journal(), rebuild, leases, options);
  }

  async rollback(rebuild: Rebuild, leases: SwapLeases, options: RollbackOptions): Promise<Rebuild> {
    return rollback(this.#journal(), rebuild, leases, options);
  }

  async abort(rebuild: Rebuild, lease: Lease): Promise<Rebuild> {
    return abortRebuild(this.#journal(), rebuild, lease);
  }

  async retire(rebuild: Rebuild): Promise<Rebuild> {
    return retireRebuild(this.#journal(), rebuild);
  }

  #writable(): Database {
    this.#database.assertWritable();
    return this.#database;
  }

  #journal(): Journal {
    return { database: this.#writable(), sql: this.#sql };
  }

  #createLiveTables(session: Session, model: ReadModel, tables: readonly string[]): void {
    const [taken] = findMarks(session, this.#sql, tables).keys();
    if (taken !== undefined) throw foreignTable(taken);
    if (model.kind === 'table') {
      session.run(createTable(model.spec, model.spec.name));
      for (const statement of createIndexes(model.spec, model.spec.name)) session.run(statement);
      return;
    }
    if (model.kind === 'external') return;
    for (const statement of model.create((name) => name)) runStatement(session, statement);
    const made = findMarks(session, this.#sql, tables);
    const missing = tables.find((table) => !made.has(table));
    if (missing !== undefined) throw missingTable(missing);
  }
}

function noCheckpoint(id: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no checkpoint ${id}`, { next: 'evstore checkpoints' });
}

function foreignTable(table: string): EvstoreError {
  return new EvstoreError('E_FOREIGN_TABLE', `a table ${table} exists and no projection owns it`, {
    why: 'Whoever made it may need it, so it is left alone. Rename it, or the table of the projection.',
    details: { table },
  });
}

/** Filter, number of events and sum of their ids. */
function auditColumns({ seen }: AppliedBatch): readonly Parameter[] {
  if (seen === undefined) return [null, 0, 0];
  return [writeAuditFilter(seen.filter), seen.events, Number(seen.idSum)];
}

function toProjectionRecord(row: RawRow): ProjectionRecord {
  return {
    name: toText(row[0]),
    version: toInteger(row[1]),
    codeHash: toText(row[2]),
    mode: modeOf(toText(row[2])),
    tables: JSON.parse(toText(row[3])),
    generation: toInteger(row[4]),
    registeredAt: toTimestamp(row[5]),
    target: toOptional(row[6], toText),
    parts: toInteger(row[7]),
  };
}

function toCheckpoint(row: RawRow): Checkpoint {
  return {
    subscriptionId: toText(row[0]),
    position: toInteger(row[1]),
    updatedAt: toTimestamp(row[2]),
    generation: toInteger(row[3]),
    lastEventId: toOptional(row[4], toText),
    owner: toOptional(row[5], toText),
    rate: toOptional(row[6], Number),
    lastError: toOptional(row[7], toText),
    code: toOptional(row[8], toInteger) === null ? null : { version: toInteger(row[8]), codeHash: toText(row[9]) },
  };
}

function toCursor(row: RawRow): Cursor {
  const audit = toOptional(row[5], toText);
  return {
    name: toText(row[0]),
    rebuild: toOptional(row[1], toInteger),
    position: toInteger(row[2]),
    lastEventId: toOptional(row[3], toText),
    lastEventAt: toOptional(row[4], toInteger),
    audit: audit === null ? null : parseAudit(audit),
  };
}
