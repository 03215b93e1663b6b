/** Read models, their checkpoints and their rebuilds on Postgres. */
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
import { type Database, lockTimeout, type Parameter, type RawRow, type Session } from './connection/database.js';
import { toInteger, toOptional, toText, toTimestamp } from './connection/rows.js';
import { preludeOf, resolveChanges } from './log/inline.js';
import { acquireLease, fence, releaseLease, renewLease, superseded } from './read-models/leases.js';
import { applyParked, countParked, forgetParked, listParked, listParkedStreams } from './read-models/parked.js';
import { divide } from './read-models/parts.js';
import { applyChanges, createIndexes, createTable, qualify, readRows, runStatement } from './read-models/read-model.js';
import { compareTables, select } from './rebuilds/compare.js';
import { catalogSettings } from './rebuilds/dependents.js';
import { findOids, inspectTables } from './rebuilds/inspect.js';
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
import { searchPath } from './schema/schema-name.js';

/** What moves when a batch has been applied. */
const cursors = { checkpoint: 'move-checkpoint', built: 'move-built', old: 'move-old' } as const;

/** How long a swap waits for appends that write the live rows. */
const inlineLockMs = 5_000;

export class PostgresProjectionStore implements ProjectionStore {
  readonly #database: Database;
  readonly #sql: SqlFolder;
  readonly #schema: string;

  constructor(database: Database, sql: SqlFolder, schema: string) {
    this.#database = database;
    this.#sql = sql;
    this.#schema = schema;
  }

  async list(): Promise<readonly ProjectionRecord[]> {
    const rows = await this.#database.query(this.#sql('projections'), [null]);
    return rows.map(toProjectionRecord);
  }

  register(registration: Registration): Promise<ProjectionRecord> {
    const { name, version, codeHash, model } = registration;
    const tables = tablesOf(model);
    const target = model.kind === 'external' ? nameTarget(name, version) : null;
    for (const table of tables) checkIdentifier(table);
    return this.#writable().transaction(
      async (session) => {
        const parameters = [name, version, codeHash, JSON.stringify(tables), target];
        const [added] = await session.query(this.#sql('register-projection'), parameters);
        if (added !== undefined) {
          await this.#createLiveTables(session, model, tables);
          await session.query(this.#sql('start-checkpoint'), [name]);
          await session.query(this.#sql('drop-inlined'), [name, 0]);
        }
        const [row] = await session.query(this.#sql('projections'), [name]);
        if (row === undefined) throw new EvstoreError('E_BUG', `projection ${name} vanished while it was registered`);
        return toProjectionRecord(row);
      },
      { prelude: searchPath(this.#schema) },
    );
  }

  async checkpoints(): Promise<readonly Checkpoint[]> {
    const rows = await this.#database.query(this.#sql('checkpoints'));
    return rows.map(toCheckpoint);
  }

  async cursors(): Promise<readonly Cursor[]> {
    const rows = await this.#database.query(this.#sql('cursors'));
    return rows.map(toCursor);
  }

  async setCheckpoint(subscriptionId: string, position: number | null): Promise<void> {
    await this.#writable().transaction(async (session) => {
      // Each locks the checkpoint first, as a batch does.
      await session.query(this.#sql('forget-inlined'), [subscriptionId, position]);
      const [moved] =
        position === null
          ? await session.query(this.#sql('delete-checkpoint'), [subscriptionId])
          : await session.query(this.#sql('set-checkpoint'), [subscriptionId, position]);
      if (moved === undefined) throw noCheckpoint(subscriptionId);
      await forgetParked(session, this.#sql, subscriptionId, 0, position ?? 0);
    });
  }

  async divide(projection: string, parts: number): Promise<void> {
    return divide(this.#writable(), this.#sql, projection, parts);
  }

  async recordCode(projection: string, { version, codeHash }: CodeVersion): Promise<void> {
    await this.#writable().query(this.#sql('record-code'), [projection, version, codeHash]);
  }

  async acquireLease(target: LeaseTarget, request: LeaseRequest): Promise<LeaseAnswer> {
    return acquireLease(this.#writable(), this.#sql, target, request);
  }

  async renewLease(lease: Lease, ttlMs: number, vitals?: Vitals): Promise<boolean> {
    return renewLease(this.#writable(), this.#sql, lease, ttlMs, vitals);
  }

  async releaseLease(lease: Lease): Promise<void> {
    await releaseLease(this.#writable(), this.#sql, lease);
  }

  async recordError(subscriptionId: string, message: string | null): Promise<void> {
    await this.#writable().query(this.#sql('record-error'), [subscriptionId, message]);
  }

  async readRows(table: string, spec: TableSpec, keys: readonly StoredRow[]): Promise<readonly StoredRow[]> {
    return readRows(this.#database, this.#schema, table, spec, keys);
  }

  async apply(batch: AppliedBatch): Promise<void> {
    const { lease, side = 'built', from, to, lastEventId, changes, parked } = batch;
    const cursor = lease.target.kind === 'checkpoint' ? cursors.checkpoint : cursors[side];
    await this.#writable().transaction(
      async (session) => {
        // The cursor first: whoever was superseded learns it before any work is done, and all take locks in one order.
        const [moved] = await session.query(this.#sql(cursor), [
          ...fence(lease),
          from,
          to,
          lastEventId,
          ...auditColumns(batch),
        ]);
        if (moved === undefined) throw superseded(lease);
        const rebuild = lease.target.kind === 'rebuild' ? lease.target.id : 0;
        const resolved =
          changes.kind === 'deferred'
            ? await resolveChanges(session, this.#sql, this.#schema, rebuild, changes)
            : changes;
        await applyChanges(session, this.#schema, resolved);
        if (parked !== undefined) await applyParked(session, this.#sql, lease, parked);
      },
      { prelude: preludeOf(changes, this.#schema) },
    );
  }

  async parked(filter: ParkedFilter = {}): Promise<readonly ParkedEvent[]> {
    return listParked(this.#database, this.#sql, filter);
  }

  async parkedStreams(projection: string, rebuild: number): Promise<readonly string[]> {
    return listParkedStreams(this.#database, this.#sql, projection, rebuild);
  }

  async countParked(): Promise<readonly ParkedCount[]> {
    return countParked(this.#database, this.#sql);
  }

  async restInline(projection: string, forMs: number): Promise<number> {
    return this.#writable().transaction(
      async (session) => {
        // Locked as a swap does it, so that neither waits for the other with half of it.
        await session.query(this.#sql('lock-projections'), [[projection], [true]]);
        await session.query(this.#sql('rest-inline'), [projection, forMs]);
        const [row] = await session.query(this.#sql('last-inlined'), [projection]);
        return toInteger(row?.[0]);
      },
      { prelude: lockTimeout(inlineLockMs) },
    );
  }

  async countRows(table: string): Promise<number> {
    const [row] = await this.#database.query(`select count(*) from ${qualify(this.#schema, table)}`);
    return toInteger(row?.[0]);
  }

  compareTables(rebuild: Rebuild): AsyncIterable<Comparison> {
    return compareTables(this.#database, this.#sql, this.#schema, rebuild);
  }

  async select(statement: Statement, limit: number): Promise<readonly string[]> {
    return select(this.#database, this.#schema, statement, limit);
  }

  async rebuilds(projection?: string): Promise<readonly Rebuild[]> {
    return listRebuilds(this.#database, this.#sql, projection);
  }

  async inspectTables(tables: readonly string[]): Promise<readonly TableFacts[]> {
    return this.#database.transaction((session) => inspectTables(session, this.#sql, this.#schema, tables), {
      prelude: catalogSettings,
    });
  }

  async measureTables(tables: readonly string[]): Promise<TableSizes> {
    return measureTables(this.#database, this.#sql, this.#schema, tables);
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
    return { database: this.#writable(), sql: this.#sql, schema: this.#schema };
  }

  async #createLiveTables(session: Session, model: ReadModel, tables: readonly string[]): Promise<void> {
    const [taken] = (await findOids(session, this.#sql, this.#schema, tables)).keys();
    if (taken !== undefined) throw foreignTable(taken);
    if (model.kind === 'table') {
      await session.query(createTable(this.#schema, model.spec, model.spec.name));
      for (const statement of createIndexes(this.#schema, model.spec, model.spec.name)) await session.query(statement);
      return;
    }
    if (model.kind === 'external') return;
    for (const statement of model.create((name) => name)) await runStatement(session, statement);
    const made = await findOids(session, this.#sql, this.#schema, tables);
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
    target: row[6] ?? null,
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
