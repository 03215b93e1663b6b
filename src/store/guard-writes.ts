/** Asks before a store is written to. Every write of a command goes through the port, so this is the one place to ask. */
import type { EventLog } from './event-log.js';
import type { ProjectionStore } from './projection-store.js';
import type { SagaStore } from './saga-store.js';
import type { SchemaAdmin } from './schema-admin.js';
import type { SnapshotStore } from './snapshot-store.js';
import type { ScratchStores, Store } from './store.js';

type Access<Part> = Readonly<Record<keyof Part, 'read' | 'write'>>;

/** Complete, so that a new method must say what it does. */
const logAccess: Access<EventLog> = {
  append: 'write',
  readStream: 'read',
  readAll: 'read',
  readLines: 'read',
  find: 'read',
  head: 'read',
  waitForAppend: 'read',
  streams: 'read',
  importEvents: 'write',
  importBatches: 'write',
  inspect: 'read',
  tally: 'read',
};

const projectionsAccess: Access<ProjectionStore> = {
  list: 'read',
  register: 'write',
  forget: 'write',
  rename: 'write',
  checkpoints: 'read',
  cursors: 'read',
  setCheckpoint: 'write',
  checkpointChanges: 'read',
  divide: 'write',
  recordCode: 'write',
  acquireLease: 'write',
  renewLease: 'write',
  releaseLease: 'write',
  recordError: 'write',
  readRows: 'read',
  apply: 'write',
  parked: 'read',
  parkedStreams: 'read',
  countParked: 'read',
  restInline: 'write',
  countRows: 'read',
  compareTables: 'read',
  select: 'read',
  rebuilds: 'read',
  inspectTables: 'read',
  findNotOwned: 'read',
  findTaken: 'read',
  findDerivedTables: 'read',
  findOwnTables: 'read',
  measureTables: 'read',
  startRebuild: 'write',
  createRebuildTables: 'write',
  finishFill: 'write',
  swap: 'write',
  rollback: 'write',
  abort: 'write',
  retire: 'write',
};

const snapshotsAccess: Access<SnapshotStore> = {
  list: 'read',
  find: 'read',
  save: 'write',
  delete: 'write',
};

const sagasAccess: Access<SagaStore> = {
  record: 'write',
  claim: 'write',
  renew: 'write',
  release: 'write',
  owners: 'read',
  findWaiting: 'read',
  find: 'read',
  list: 'read',
  count: 'read',
  countOverdue: 'read',
  restore: 'write',
};

const schemaAccess: Access<SchemaAdmin> = {
  status: 'read',
  migrate: 'write',
  assertReady: 'read',
  assertGuards: 'read',
  findBrokenGuards: 'read',
  fix: 'write',
  diagnose: 'read',
  idIndexes: 'read',
  createIdIndexes: 'write',
};

const scratchAccess: Access<ScratchStores> = {
  place: 'read',
  list: 'read',
  assertPossible: 'read',
  make: 'write',
  remove: 'write',
};

/** @param assertAllowed asked before every write; the write fails with what it throws */
export function guardWrites(store: Store, assertAllowed: () => Promise<void>): Store {
  return {
    ...store,
    log: guard(store.log, logAccess, assertAllowed),
    projections: guard(store.projections, projectionsAccess, assertAllowed),
    snapshots: guard(store.snapshots, snapshotsAccess, assertAllowed),
    sagas: guard(store.sagas, sagasAccess, assertAllowed),
    schema: guard(store.schema, schemaAccess, assertAllowed),
    scratch: guard(store.scratch, scratchAccess, assertAllowed),
  };
}

type Method = (...args: readonly unknown[]) => unknown;

function guard<Part extends object>(part: Part, access: Access<Part>, assertAllowed: () => Promise<void>): Part {
  const guarded: Partial<Record<keyof Part, Method>> = {};
  for (const name of Object.keys(access) as (keyof Part)[]) {
    const method = (part[name] as Method).bind(part);
    guarded[name] = access[name] === 'read' ? method : (...args) => assertAllowed().then(() => method(...args));
  }
  return guarded as Part;
}
