/** Read models, their checkpoints and their rebuilds on Postgres. */
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
import { toInteger, toText } from '../shared/rows.js';
import { toDerivedTable } from '../shared/table-facts.js';
import type { AppliedBatch, ChangeByHand, ProjectionStore, Registration } from '../store.js';
import { type Database, lockTimeout, type Session } from './connection/database.js';
import type { Parameter } from './connection/values.js';
import { preludeOf, resolveChanges } from './log/inline.js';
import { acquireLease, releaseLease, renewLease } from './read-models/leases.js';
import { applyParked } from './read-models/parked.js';
import { divide } from './read-models/parts.js';
import { applyChanges, createIndexes, createTable, qualify, readRows, runStatement } from './read-models/read-model.js';
import { compareTables, select } from './rebuilds/compare.js';
import { catalogSettings } from './rebuilds/dependents.js';
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
import { searchPath } from './schema/schema-name.js';

/** How long a swap waits for appends that write the live rows. */
const inlineLockMs = 5_000;

export function openProjectionStore(database: Database): ProjectionStore {
  const writable = () => {
    database.assertWritable();
    return database;
  };
  return {
    list: async () => (await database.ask('projections', [null])).map(toProjectionRecord),
    register: async (registration) => {
      const tables = tablesOf(registration.model);
      for (const table of tables) checkIdentifier(table);
      return writable().transaction((session) => register(session, registration, tables), {
        prelude: searchPath(database.schema),
      });
    },
    checkpoints: async () => (await database.ask('checkpoints')).map(toCheckpoint),
    cursors: async () => (await database.ask('cursors')).map(toCursor),
    setCheckpoint: async (id, position, change) => {
      await writable().transaction((session) => setCheckpoint(session, id, position, change));
    },
    checkpointChanges: async (id) => (await database.ask('checkpoint-changes', [id ?? null])).map(toCheckpointChange),
    divide: async (projection, parts) => divide(writable(), projection, parts),
    recordCode: async (projection, { version, codeHash }) => {
      await writable().ask('record-code', [projection, version, codeHash]);
    },

    acquireLease: async (target, request) => acquireLease(writable(), target, request),
    renewLease: async (lease, ttlMs, vitals) => renewLease(writable(), lease, ttlMs, vitals),
    releaseLease: async (lease) => releaseLease(writable(), lease),
    recordError: async (id, message) => {
      await writable().ask('record-error', [id, message]);
    },

    readRows: async (table, spec, keys) => readRows(database, table, spec, keys),
    apply: async (batch) => {
      await writable().transaction((session) => apply(session, batch), {
        prelude: preludeOf(batch.changes, database.schema),
      });
    },
    parked: async (filter = {}) => (await database.ask('parked', parkedColumns(filter))).map(toParkedEvent),
    parkedStreams: async (projection, rebuild) => {
      const rows = await database.ask('parked-streams', [projection, rebuild]);
      return rows.map(([streamId]) => toText(streamId));
    },
    countParked: async () => (await database.ask('count-parked')).map(toParkedCount),
    restInline: async (projection, { token }) =>
      writable().transaction(
        async (session) => {
          // Locked in the order of a swap, so that the two cannot wait for each other.
          await session.ask('lock-projections', [[projection], true]);
          await session.ask('rest-inline', [projection, token]);
          return toInteger((await session.ask('last-inlined', [projection]))[0]?.[0]);
        },
        { prelude: lockTimeout(inlineLockMs) },
      ),

    countRows: async (table) => {
      const [row] = await database.query(`select count(*) from ${qualify(database.schema, table)}`);
      return toInteger(row?.[0]);
    },
    compareTables: (rebuild) => compareTables(database, rebuild),
    select: async (statement, limit) => select(database, statement, limit),

    rebuilds: async (projection) => (await database.ask('rebuilds', [projection ?? null, null])).map(toRebuild),
    inspectTables: async (tables) =>
      database.transaction((session) => inspectTables(session, tables), { prelude: catalogSettings }),
    findNotOwned: async (tables) =>
      database.transaction((session) => findNotOwned(session, tables), { prelude: catalogSettings }),
    findTaken: async (names) => database.transaction((session) => findTaken(session, names)),
    findOwnTables: async (rebuild) => database.transaction((session) => findOwnTables(session, rebuild)),
    findDerivedTables: async () => (await database.ask('derived-tables', [database.schema])).map(toDerivedTable),
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

async function register(session: Session, { name, version, codeHash, model }: Registration, tables: readonly string[]) {
  const target = model.kind === 'external' ? nameTarget(name, version) : null;
  const parameters = [name, version, codeHash, JSON.stringify(tables), target];
  const [added] = await session.ask('register-projection', parameters);
  if (added !== undefined) {
    await createLiveTables(session, name, model, tables);
    await session.ask('start-checkpoint', [name]);
    await session.ask('drop-inlined', [name, 0]);
  }
  const [row] = await session.ask('projections', [name]);
  if (row === undefined) throw new EvstoreError('E_BUG', `projection ${name} vanished while it was registered`);
  return toProjectionRecord(row);
}

async function createLiveTables(
  session: Session,
  name: string,
  model: ReadModel,
  tables: readonly string[],
): Promise<void> {
  const [taken] = (await findTables(session, tables)).keys();
  if (taken !== undefined) {
    const others = (await session.ask('projections', [null]))
      .map(toProjectionRecord)
      .filter((each) => each.name !== name);
    throw ownedReadModel(taken, name, others) ?? foreignReadModel(taken);
  }
  if (model.kind === 'table') {
    await session.query(createTable(session.schema, model.spec, model.spec.name));
    for (const statement of createIndexes(session.schema, model.spec, model.spec.name)) await session.query(statement);
  }
  if (model.kind !== 'sql') return;
  for (const statement of model.create((name) => name)) await runStatement(session, statement);
  const made = await findTables(session, tables);
  const missing = tables.find((table) => !made.has(table));
  if (missing !== undefined) throw missingReadModel(missing);
}

async function setCheckpoint(
  session: Session,
  id: string,
  position: number | null,
  change?: ChangeByHand,
): Promise<void> {
  // Each statement locks the checkpoint first, as a batch does.
  await session.ask('forget-inlined', [id, position]);
  const from = change?.from ?? null;
  const [moved] =
    position === null
      ? await session.ask('delete-checkpoint', [id, from])
      : await session.ask('set-checkpoint', [id, position, from]);
  if (moved === undefined) {
    const found = (await session.ask('checkpoints')).map(toCheckpoint).find((each) => each.subscriptionId === id);
    throw found === undefined ? noCheckpoint(id) : movedMeanwhile(found, from);
  }
  await session.ask('forget-parked', [id, 0, position ?? 0]);
  if (change !== undefined) await session.ask('record-change', changeColumns(id, position, change));
}

async function apply(session: Session, batch: AppliedBatch): Promise<void> {
  const { lease, side = 'built', from, to, lastEventId, changes, parked, endAudit = false } = batch;
  const cursor = lease.target.kind === 'checkpoint' ? 'checkpoint' : side;
  // The cursor first: a superseded owner learns it before any work is done, and all take locks in one order.
  const parameters: Parameter[] = [...fence(lease), from, to, lastEventId, ...auditColumns(batch)];
  if (cursor === 'checkpoint') parameters.push(endAudit);
  const [moved] = await session.ask(`move-${cursor}`, parameters);
  if (moved === undefined) throw superseded(lease);
  const isDeferred = changes.kind === 'deferred';
  const resolved = isDeferred ? await resolveChanges(session, rebuildOf(lease), changes) : changes;
  await applyChanges(session, resolved);
  if (parked !== undefined) await applyParked(session, lease, parked);
}
