/**
 * The lists of values in the schemas, and where the program has them. A record of a union must have all of its members, so
 * that a new status fails the type check here, and then the test until the schema has it.
 */

import type { CreatedSnapshot } from '../../src/aggregate/manage-snapshots.js';
import type { Measurement } from '../../src/bench/bench.js';
import type { SettingSource } from '../../src/config/sources.js';
import type { CodeState } from '../../src/domain/code-identity.js';
import type { ExpectedVersion } from '../../src/domain/event.js';
import type { Finding } from '../../src/domain/finding.js';
import type { ProjectionMode } from '../../src/domain/projection-mode.js';
import type { SagaPhase } from '../../src/domain/saga-phase.js';
import type { CheckResult } from '../../src/findings/check.js';
import { explanations } from '../../src/output/explanations.js';
import type { CheckFault } from '../../src/projection/check-handlers/check-findings.js';
import type { RebuildStep } from '../../src/projection/journal/steps.js';
import type { Amount } from '../../src/projection/rebuild/forecast.js';
import type { RebuildPlanned } from '../../src/projection/rebuild/plan.js';
import type { RebuildReport } from '../../src/projection/rebuild/rebuilding.js';
import type { RunResult } from '../../src/projection/run/run-options.js';
import type { ChangeEffect } from '../../src/projection/status/change-effect.js';
import type { InventoryItem } from '../../src/projection/status/inventory.js';
import type { ProjectionLag } from '../../src/projection/status/lag.js';
import type { Side } from '../../src/query/rows.js';
import type { RowChange, State } from '../../src/query/state.js';
import type { InstanceWait, StepReport } from '../../src/saga/inspect.js';
import type { OverdueKind } from '../../src/saga/overdue.js';
import type { RebuildState } from '../../src/store/rebuild.js';
import type { Engine, MigrationStatus, ParkedState } from '../../src/store/store.js';

type Values = readonly unknown[];

function keysOf<Union extends string>(record: Readonly<Record<Union, true>>): Values {
  return Object.keys(record);
}

const errorCodes = Object.keys(explanations);
const parked = keysOf<ParkedState>({ parked: true, skipped: true, discarded: true });
const engines = keysOf<Engine>({ postgres: true, sqlite: true });
const modes = keysOf<ProjectionMode>({ async: true, inline: true });
const codeRecord = { current: true, 'stale code': true, unverified: true, stale: true } as const;
const codeStates = keysOf<CodeState>(codeRecord);
const stateCodes = keysOf<State['code']>({ ...codeRecord, new: true });
const kinds = keysOf<RowChange['kind']>({ added: true, changed: true, removed: true, same: true });
const amounts = keysOf<Amount['how']>({ counted: true, sampled: true, estimated: true });
const stepStates = keysOf<StepReport['state']>({
  running: true,
  waiting: true,
  completed: true,
  failed: true,
  unknown: true,
  compensated: true,
  stuck: true,
});

/** By the place of each in the schemas. */
export const enums: Readonly<Record<string, Values>> = {
  'snapshots-create.json#/properties/snapshots/items/properties/result': keysOf<CreatedSnapshot['result']>({
    stored: true,
    kept: true,
    foreign: true,
  }),
  'common.json#/$defs/finding/properties/severity': keysOf<Finding['severity']>({
    error: true,
    warning: true,
    note: true,
  }),
  'common.json#/$defs/error/properties/code': errorCodes,
  'common.json#/$defs/explanation/properties/code': errorCodes,
  'error.json#/properties/error/properties/code': errorCodes,
  'common.json#/$defs/parkedEvent/properties/state': parked,
  'parked-show.json#/properties/state': parked,
  'show.json#/properties/projections/items/properties/parked': [...parked, null],
  'show.json#/properties/projections/items/properties/handles': [true, null],
  'common.json#/$defs/sagaState': keysOf<SagaPhase>({
    running: true,
    waiting: true,
    compensating: true,
    completed: true,
    compensated: true,
    failed: true,
    'compensation-failed': true,
  }),
  'common.json#/$defs/sagaStep/properties/state': stepStates,
  'saga-show.json#/properties/steps/items/properties/state': stepStates,
  'saga-show.json#/properties/waitsFor/anyOf/0/properties/kind': keysOf<InstanceWait['kind']>({
    event: true,
    time: true,
    retry: true,
  }),
  'saga-overdue.json#/properties/instances/items/properties/kind': keysOf<OverdueKind>({
    'compensation-failed': true,
    'compensation-failing': true,
    'not-run': true,
    held: true,
    waiting: true,
  }),
  'common.json#/$defs/rebuildState': keysOf<RebuildState>({
    planned: true,
    filling: true,
    ready: true,
    swapped: true,
    retired: true,
    aborted: true,
  }),
  'common.json#/$defs/handlerCheck/properties/faults/items/properties/kind': keysOf<CheckFault['kind']>({
    error: true,
    unstable: true,
    mutation: true,
    clock: true,
    random: true,
  }),
  'bench.json#/properties/engine': engines,
  'bench-dry-run.json#/properties/engine': engines,
  'bench.json#/properties/measurements/items/properties/name': keysOf<Measurement['name']>({
    append: true,
    'append-batch': true,
    import: true,
    read: true,
    rebuild: true,
  }),
  'append-dry-run.json#/properties/expected/anyOf/1': keysOf<Exclude<ExpectedVersion, number>>({
    any: true,
    none: true,
    exists: true,
  }),
  'checkpoints-set.json#/properties/effect': keysOf<ChangeEffect['effect']>({ replay: true, skip: true, none: true }),
  'config-show.json#/properties/settings/items/properties/setting': keysOf<SettingSource['setting']>({
    store: true,
    schema: true,
    projections: true,
    sagas: true,
    reactions: true,
  }),
  'doctor.json#/properties/checks/items/properties/result': keysOf<CheckResult['result']>({
    ok: true,
    found: true,
    failed: true,
    skipped: true,
  }),
  'lag.json#/properties/projections/items/properties/mode': [...modes, null],
  'lag.json#/properties/projections/items/properties/status': keysOf<ProjectionLag['status']>({
    running: true,
    detached: true,
    failed: true,
    idle: true,
    stale: true,
    rebuilding: true,
    foreign: true,
  }),
  'migrate-status.json#/properties/migrations/items/properties/state': keysOf<MigrationStatus['state']>({
    applied: true,
    pending: true,
    drifted: true,
    unknown: true,
  }),
  'projections-list.json#/properties/projections/items/properties/state': keysOf<InventoryItem['state']>({
    ...codeRecord,
    new: true,
    detached: true,
    unknown: true,
    failed: true,
    'not loaded': true,
  }),
  'projections-list.json#/properties/projections/items/properties/mode': modes,
  'rebuild.json#/properties/rebuilds/items/properties/outcome': keysOf<RebuildReport['outcome']>({
    swapped: true,
    ready: true,
    interrupted: true,
    failed: true,
  }),
  'rebuild.json#/properties/rebuilds/items/properties/steps/items/properties/step': keysOf<RebuildStep>({
    create: true,
    fill: true,
    'catch-up': true,
    index: true,
    verify: true,
    swap: true,
  }),
  'rebuild-dry-run.json#/properties/rebuilds/items/anyOf/0/properties/action': keysOf<RebuildPlanned['action']>({
    start: true,
    resume: true,
    restart: true,
  }),
  'rebuild-dry-run.json#/properties/rebuilds/items/anyOf/0/properties/code': [...codeStates, null],
  'rebuild-dry-run.json#/properties/rebuilds/items/anyOf/0/properties/matching/properties/how': amounts,
  'rebuild-dry-run.json#/properties/rebuilds/items/anyOf/0/properties/rows/anyOf/0/properties/how': amounts,
  'rows.json#/properties/side': keysOf<Side>({ live: true, built: true, old: true }),
  'run.json#/properties/projections/items/properties/stopped': [
    ...keysOf<NonNullable<RunResult['stopped']>>({ superseded: true }),
    null,
  ],
  'state.json#/properties/code': stateCodes,
  'state-history.json#/properties/code': stateCodes,
  'state-diff.json#/properties/code': stateCodes,
  'state-history.json#/properties/history/items/properties/kind': kinds,
  'state-diff.json#/properties/rows/items/properties/kind': kinds,
  // Of JSON.
  'types.json#/properties/types/items/properties/fields/items/properties/types/items': [
    ...['string', 'number', 'boolean', 'null', 'object', 'array'],
  ],
};
