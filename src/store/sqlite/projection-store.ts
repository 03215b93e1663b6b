/** Read models, their checkpoints and their rebuilds on SQLite. */
import { EvstoreError } from '../../domain/errors.js';
import { checkIdentifier, nameTarget } from '../../domain/names.js';
import { type ReadModel, tablesOf } from '../../domain/read-model.js';
import { toRebuild } from '../shared/journal.js';
import { fence, rebuildOf, superseded } from '../shared/leases.js';
import {
  auditColumns,
  foreignReadModel,
  missingReadModel,
  noCheckpoint,
  parkedColumns,
  toCheckpoint,
  toCursor,
  toParkedCount,
  toParkedEvent,
  toProjectionRecord,
} from '../shared/records.js';
import { type RawRow, toInteger, toText } from '../shared/rows.js';
import type { SqlFolder } from '../shared/sql.js';
import type { AppliedBatch, ProjectionStore, Registration } from '../store.js';
import type { Database, Session } from './connection/database.js';
import { quoteIdentifier } from './connection/literals.js';
import type { Parameter } from './connection/values.js';
import { resolveChanges } from './log/inline.js';
import { acquireLease, releaseLease, renewLease } from './read-models/leases.js';
import { applyParked } from './read-models/parked.js';
import { divide } from './read-models/parts.js';
import { applyChanges, createIndexes, createTable, readRows, runStatement } from './read-models/read-model.js';
import { compareTables, select } from './rebuilds/compare.js';
import { findTables, inspectTables } from './rebuilds/inspect.js';
import { abortRebuild, createRebuildTables, finishFill, retireRebuild, startRebuild } from './rebuilds/rebuilds.js';
import { measureTables } from './rebuilds/sizes.js';
import { rollback, swap } from './rebuilds/swap.js';

export function openProjectionStore(database: Database, sql: SqlFolder): ProjectionStore {
  const writable = () => {
    database.assertWritable();
    return database;
  };
  const journal = () => ({ database: writable(), sql });
  const query = (text: string, parameters: readonly Parameter[] = []): Promise<readonly RawRow[]> =>
    database.read((session) => session.query(text, parameters));
  const run = async (text: string, parameters: readonly Parameter[]) => {
    await writable().transaction((session) => session.run(text, parameters));
  };
  return {
    list: async () => (await query(sql('projections'), [null])).map(toProjectionRecord),
    register: async (registration) => {
      const tables = tablesOf(registration.model);
      for (const table of tables) checkIdentifier(table);
      return writable().transaction((session) => register(session, sql, registration, tables));
    },
    checkpoints: async () => (await query(sql('checkpoints'))).map(toCheckpoint),
    cursors: async () => (await query(sql('cursors'))).map(toCursor),
    setCheckpoint: async (id, position) => {
      await writable().transaction((session) => setCheckpoint(session, sql, id, position));
    },
    divide: async (projection, parts) => divide(writable(), sql, projection, parts),
    recordCode: async (projection, { version, codeHash }) => run(sql('record-code'), [projection, version, codeHash]),

    acquireLease: async (target, request) =>
      writable().transaction((session) => acquireLease(session, sql, target, request)),
    renewLease: async (lease, ttlMs, vitals) =>
      writable().transaction((session) => renewLease(session, sql, lease, ttlMs, vitals)),
    releaseLease: async (lease) => writable().transaction((session) => releaseLease(session, sql, lease)),
    recordError: async (id, message) => run(sql('record-error'), [id, message]),

    readRows: async (table, spec, keys) => database.read((session) => readRows(session, table, spec, keys)),
    apply: async (batch) => {
      await writable().transaction((session) => apply(session, sql, batch));
    },
    parked: async (filter = {}) => (await query(sql('parked'), parkedColumns(filter))).map(toParkedEvent),
    parkedStreams: async (projection, rebuild) => {
      const rows = await query(sql('parked-streams'), [projection, rebuild]);
      return rows.map(([streamId]) => toText(streamId));
    },
    countParked: async () => (await query(sql('count-parked'))).map(toParkedCount),
    restInline: async (projection, forMs) =>
      writable().transaction((session) => {
        session.run(sql('rest-inline'), [projection, forMs]);
        return toInteger(session.query(sql('last-inlined'), [projection])[0]?.[0]);
      }),

    countRows: async (table) => {
      const [row] = await query(`select count(*) from ${quoteIdentifier(table)}`);
      return toInteger(row?.[0]);
    },
    compareTables: (rebuild) => compareTables(database, sql, rebuild),
    select: async (statement, limit) => select(database, statement, limit),

    rebuilds: async (projection) => (await query(sql('rebuilds'), [projection ?? null, null])).map(toRebuild),
    inspectTables: async (tables) => database.read((session) => inspectTables(session, sql, tables)),
    measureTables: async (tables) => measureTables(database, sql, tables),
    startRebuild: async (plan, request) => startRebuild(journal(), plan, request),
    createRebuildTables: async (rebuild, lease, model) => createRebuildTables(journal(), rebuild, lease, model),
    finishFill: async (rebuild, lease, model) => finishFill(journal(), rebuild, lease, model),
    swap: async (rebuild, leases, options) => swap(journal(), rebuild, leases, options),
    rollback: async (rebuild, leases, options) => rollback(journal(), rebuild, leases, options),
    abort: async (rebuild, lease) => abortRebuild(journal(), rebuild, lease),
    retire: async (rebuild) => retireRebuild(journal(), rebuild),
  };
}

function register(
  session: Session,
  sql: SqlFolder,
  { name, version, codeHash, model }: Registration,
  tables: readonly string[],
) {
  const target = model.kind === 'external' ? nameTarget(name, version) : null;
  const parameters = [name, version, codeHash, JSON.stringify(tables), target];
  const [added] = session.query(sql('register-projection'), parameters);
  if (added !== undefined) {
    createLiveTables(session, sql, model, tables);
    session.run(sql('start-checkpoint'), [name]);
    session.run(sql('drop-inlined'), [name, 0]);
  }
  const [row] = session.query(sql('projections'), [name]);
  if (row === undefined) throw new EvstoreError('E_BUG', `projection ${name} vanished while it was registered`);
  return toProjectionRecord(row);
}

function createLiveTables(session: Session, sql: SqlFolder, model: ReadModel, tables: readonly string[]): void {
  const [taken] = findTables(session, sql, tables).keys();
  if (taken !== undefined) throw foreignReadModel(taken);
  if (model.kind === 'table') {
    session.run(createTable(model.spec, model.spec.name));
    for (const statement of createIndexes(model.spec, model.spec.name)) session.run(statement);
  }
  if (model.kind !== 'sql') return;
  for (const statement of model.create((name) => name)) runStatement(session, statement);
  const made = findTables(session, sql, tables);
  const missing = tables.find((table) => !made.has(table));
  if (missing !== undefined) throw missingReadModel(missing);
}

function setCheckpoint(session: Session, sql: SqlFolder, id: string, position: number | null): void {
  session.run(sql('forget-inlined'), [id, position]);
  const [moved] =
    position === null
      ? session.query(sql('delete-checkpoint'), [id])
      : session.query(sql('set-checkpoint'), [id, position]);
  if (moved === undefined) throw noCheckpoint(id);
  session.run(sql('forget-parked'), [id, 0, position ?? 0]);
}

function apply(session: Session, sql: SqlFolder, batch: AppliedBatch): void {
  const { lease, side = 'built', from, to, lastEventId, changes, parked } = batch;
  const cursor = lease.target.kind === 'checkpoint' ? 'checkpoint' : side;
  // The cursor first: a superseded owner learns it before any work is done.
  const parameters = [...fence(lease), from, to, lastEventId, ...auditColumns(batch)];
  const [moved] = session.query(sql(`move-${cursor}`), parameters);
  if (moved === undefined) throw superseded(lease);
  const isDeferred = changes.kind === 'deferred';
  applyChanges(session, isDeferred ? resolveChanges(session, sql, rebuildOf(lease), changes) : changes);
  if (parked !== undefined) applyParked(session, sql, lease, parked);
}
