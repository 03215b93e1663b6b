/** Read models, their checkpoints and their rebuilds on SQLite. */
import { EvstoreError } from '../../domain/errors.js';
import { checkIdentifier, nameTarget } from '../../domain/names.js';
import { type ReadModel, tablesOf } from '../../domain/read-model.js';
import { toRebuild } from '../shared/journal.js';
import { fence, rebuildOf, superseded } from '../shared/leases.js';
import {
  auditColumns,
  changeColumns,
  foreignReadModel,
  missingReadModel,
  movedMeanwhile,
  noCheckpoint,
  parkedColumns,
  toCheckpoint,
  toCheckpointChange,
  toCursor,
  toParkedCount,
  toParkedEvent,
  toProjectionRecord,
} from '../shared/records.js';
import { ownedReadModel } from '../shared/registry.js';
import { type RawRow, toInteger, toText } from '../shared/rows.js';
import { toDerivedTable } from '../shared/table-facts.js';
import type { AppliedBatch, ChangeByHand, ProjectionStore, Registration } from '../store.js';
import type { Database, Session } from './connection/database.js';
import { quoteIdentifier } from './connection/literals.js';
import type { Parameter } from './connection/values.js';
import { resolveChanges } from './log/inline.js';
import { acquireLease, releaseLease, renewLease } from './read-models/leases.js';
import { applyParked } from './read-models/parked.js';
import { divide } from './read-models/parts.js';
import { applyChanges, createIndexes, createTable, readRows, runStatement } from './read-models/read-model.js';
import { compareTables, select } from './rebuilds/compare.js';
import { findNotOwned, findTables, findTaken, inspectTables } from './rebuilds/inspect.js';
import {
  abortRebuild,
  createRebuildTables,
  findOwnTables,
  finishFill,
  retireRebuild,
  startRebuild,
} from './rebuilds/rebuilds.js';
import { forget, rename } from './rebuilds/registry.js';
import { measureTables } from './rebuilds/sizes.js';
import { rollback, swap } from './rebuilds/swap.js';

export function openProjectionStore(database: Database): ProjectionStore {
  const writable = () => {
    database.assertWritable();
    return database;
  };
  const ask = (name: string, parameters?: readonly Parameter[]): Promise<readonly RawRow[]> =>
    database.read((session) => session.ask(name, parameters));
  const write = async (name: string, parameters: readonly Parameter[]) => {
    await writable().transaction((session) => session.ask(name, parameters));
  };
  return {
    list: async () => (await ask('projections', [null])).map(toProjectionRecord),
    register: async (registration) => {
      const tables = tablesOf(registration.model);
      for (const table of tables) checkIdentifier(table);
      return writable().transaction((session) => register(session, registration, tables));
    },
    checkpoints: async () => (await ask('checkpoints')).map(toCheckpoint),
    cursors: async () => (await ask('cursors')).map(toCursor),
    setCheckpoint: async (id, position, change) => {
      await writable().transaction((session) => setCheckpoint(session, id, position, change));
    },
    checkpointChanges: async (id) => (await ask('checkpoint-changes', [id ?? null])).map(toCheckpointChange),
    divide: async (projection, parts) => divide(writable(), projection, parts),
    recordCode: async (projection, { version, codeHash }) => write('record-code', [projection, version, codeHash]),

    acquireLease: async (target, request) =>
      writable().transaction((session) => acquireLease(session, target, request)),
    renewLease: async (lease, ttlMs, vitals) =>
      writable().transaction((session) => renewLease(session, lease, ttlMs, vitals)),
    releaseLease: async (lease) => writable().transaction((session) => releaseLease(session, lease)),
    recordError: async (id, message) => write('record-error', [id, message]),

    readRows: async (table, spec, keys) => database.read((session) => readRows(session, table, spec, keys)),
    apply: async (batch) => {
      await writable().transaction((session) => apply(session, batch));
    },
    parked: async (filter = {}) => (await ask('parked', parkedColumns(filter))).map(toParkedEvent),
    parkedStreams: async (projection, rebuild) => {
      const rows = await ask('parked-streams', [projection, rebuild]);
      return rows.map(([streamId]) => toText(streamId));
    },
    countParked: async () => (await ask('count-parked')).map(toParkedCount),
    restInline: async (projection, { token }) =>
      writable().transaction((session) => {
        session.ask('rest-inline', [projection, token]);
        return toInteger(session.ask('last-inlined', [projection])[0]?.[0]);
      }),

    countRows: async (table) => {
      const [row] = await database.read((session) => session.query(`select count(*) from ${quoteIdentifier(table)}`));
      return toInteger(row?.[0]);
    },
    compareTables: (rebuild) => compareTables(database, rebuild),
    select: async (statement, limit) => select(database, statement, limit),

    rebuilds: async (projection) => (await ask('rebuilds', [projection ?? null, null])).map(toRebuild),
    inspectTables: async (tables) => database.read((session) => inspectTables(session, tables)),
    findNotOwned: async (tables) => database.read((session) => findNotOwned(session, tables)),
    findTaken: async (names) => database.read((session) => findTaken(session, names)),
    findOwnTables: async (rebuild) => database.read((session) => findOwnTables(session, rebuild)),
    findDerivedTables: async () => (await ask('derived-tables')).map(toDerivedTable),
    measureTables: async (tables) => measureTables(database, tables),
    startRebuild: async (plan, request) => startRebuild(writable(), plan, request),
    createRebuildTables: async (rebuild, lease, model) => createRebuildTables(writable(), rebuild, lease, model),
    finishFill: async (rebuild, lease, model) => finishFill(writable(), rebuild, lease, model),
    swap: async (rebuild, leases, options) => swap(writable(), rebuild, leases, options),
    rollback: async (rebuild, leases, options) => rollback(writable(), rebuild, leases, options),
    abort: async (rebuild, lease) => abortRebuild(writable(), rebuild, lease),
    forget: async (projection, drop) => forget(writable(), projection, drop),
    rename: async (projection, to) => rename(writable(), projection, to),
    retire: async (rebuild) => retireRebuild(writable(), rebuild),
  };
}

function register(session: Session, { name, version, codeHash, model }: Registration, tables: readonly string[]) {
  const target = model.kind === 'external' ? nameTarget(name, version) : null;
  const parameters = [name, version, codeHash, JSON.stringify(tables), target];
  const [added] = session.ask('register-projection', parameters);
  if (added !== undefined) {
    createLiveTables(session, name, model, tables);
    session.ask('start-checkpoint', [name]);
    session.ask('drop-inlined', [name, 0]);
  }
  const [row] = session.ask('projections', [name]);
  if (row === undefined) throw new EvstoreError('E_BUG', `projection ${name} vanished while it was registered`);
  return toProjectionRecord(row);
}

function createLiveTables(session: Session, name: string, model: ReadModel, tables: readonly string[]): void {
  const [taken] = findTables(session, tables).keys();
  if (taken !== undefined) {
    const others = session
      .ask('projections', [null])
      .map(toProjectionRecord)
      .filter((each) => each.name !== name);
    throw ownedReadModel(taken, name, others) ?? foreignReadModel(taken);
  }
  if (model.kind === 'table') {
    session.run(createTable(model.spec, model.spec.name));
    for (const statement of createIndexes(model.spec, model.spec.name)) session.run(statement);
  }
  if (model.kind !== 'sql') return;
  for (const statement of model.create((name) => name)) runStatement(session, statement);
  const made = findTables(session, tables);
  const missing = tables.find((table) => !made.has(table));
  if (missing !== undefined) throw missingReadModel(missing);
}

function setCheckpoint(session: Session, id: string, position: number | null, change?: ChangeByHand): void {
  session.ask('forget-inlined', [id, position]);
  const from = change?.from ?? null;
  const [moved] =
    position === null
      ? session.ask('delete-checkpoint', [id, from])
      : session.ask('set-checkpoint', [id, position, from]);
  if (moved === undefined) {
    const found = session
      .ask('checkpoints')
      .map(toCheckpoint)
      .find((each) => each.subscriptionId === id);
    throw found === undefined ? noCheckpoint(id) : movedMeanwhile(found, from);
  }
  session.ask('forget-parked', [id, 0, position ?? 0]);
  if (change !== undefined) session.ask('record-change', changeColumns(id, position, change));
}

function apply(session: Session, batch: AppliedBatch): void {
  const { lease, side = 'built', from, to, lastEventId, changes, parked, endAudit = false } = batch;
  const cursor = lease.target.kind === 'checkpoint' ? 'checkpoint' : side;
  // The cursor first: a superseded owner learns it before any work is done.
  const parameters = [...fence(lease), from, to, lastEventId, ...auditColumns(batch)];
  if (cursor === 'checkpoint') parameters.push(endAudit ? 1 : 0);
  const [moved] = session.ask(`move-${cursor}`, parameters);
  if (moved === undefined) throw superseded(lease);
  const isDeferred = changes.kind === 'deferred';
  applyChanges(session, isDeferred ? resolveChanges(session, rebuildOf(lease), changes) : changes);
  if (parked !== undefined) applyParked(session, lease, parked);
}
