/** Converts the rows of the tables about projections. */

import { parseAudit, writeAuditFilter } from '../../domain/audit.js';
import { EvstoreError } from '../../domain/errors.js';
import { groupDigits } from '../../domain/numbers.js';
import { modeOf } from '../../domain/projection-mode.js';
import { shellWord } from '../../domain/shell-word.js';
import type {
  AppliedBatch,
  ChangeByHand,
  Checkpoint,
  CheckpointChange,
  Cursor,
  ParkedCount,
  ParkedEvent,
  ParkedFilter,
  ProjectionRecord,
} from '../store.js';
import { toOwner } from './leases.js';
import { type RawRow, toBoolean, toInteger, toOneOf, toOptional, toText, toTimestamp } from './rows.js';

/** Columns as in projections.sql. */
export function toProjectionRecord(row: RawRow): ProjectionRecord {
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
    inlineRests: toOwner(row[8], row[9]) !== null,
  };
}

/** Columns as in checkpoints.sql. */
export function toCheckpoint(row: RawRow): Checkpoint {
  return {
    subscriptionId: toText(row[0]),
    position: toInteger(row[1]),
    updatedAt: toTimestamp(row[2]),
    generation: toInteger(row[3]),
    lastEventId: toOptional(row[4], toText),
    owner: toOwner(row[5], row[10]),
    rate: toOptional(row[6], Number),
    lastError: toOptional(row[7], toText),
    code: toOptional(row[8], (version) => ({ version: toInteger(version), codeHash: toText(row[9]) })),
  };
}

/** Columns as in checkpoint-changes.sql. */
export function toCheckpointChange(row: RawRow): CheckpointChange {
  return {
    subscriptionId: toText(row[0]),
    at: toTimestamp(row[1]),
    from: toInteger(row[2]),
    to: toOptional(row[3], toInteger),
    events: toOptional(row[4], toInteger),
    estimated: toBoolean(row[5]),
    by: toText(row[6]),
    command: toText(row[7]),
    reason: toOptional(row[8], toText),
  };
}

/** Parameters of record-change.sql. */
export function changeColumns(id: string, to: number | null, change: ChangeByHand) {
  const { from, events, estimated, by, command, reason } = change;
  return [id, from, to, events, estimated ? 1 : 0, by, command, reason];
}

/** Columns as in cursors.sql. */
export function toCursor(row: RawRow): Cursor {
  return {
    name: toText(row[0]),
    rebuild: toOptional(row[1], toInteger),
    position: toInteger(row[2]),
    lastEventId: toOptional(row[3], toText),
    lastEventAt: toOptional(row[4], toInteger),
    audit: toOptional(row[5], (audit) => parseAudit(toText(audit))),
  };
}

/** Columns as in parked.sql. */
export function toParkedEvent(row: RawRow): ParkedEvent {
  return {
    projection: toText(row[0]),
    rebuild: toInteger(row[1]),
    globalPosition: toInteger(row[2]),
    id: toText(row[3]),
    streamId: toText(row[4]),
    type: toText(row[5]),
    state: toOneOf(['parked', 'skipped', 'discarded'], row[6], 'state of a parked event'),
    error: toOptional(row[7], toText),
    attempts: toInteger(row[8]),
    parkedAt: toTimestamp(row[9]),
  };
}

/** Columns as in count-parked.sql. */
export function toParkedCount(row: RawRow): ParkedCount {
  return { projection: toText(row[0]), events: toInteger(row[1]) };
}

/** Returns the filter of the audit, the number of events and the sum of their ids. */
export function auditColumns({ seen }: AppliedBatch): readonly (string | number | null)[] {
  if (seen === undefined) return [null, 0, 0];
  return [writeAuditFilter(seen.filter), seen.events, Number(seen.idSum)];
}

/** Parameters of parked.sql. */
export function parkedColumns({ projection, rebuild, state, streamId, limit }: ParkedFilter) {
  return [projection ?? null, rebuild ?? null, state ?? null, streamId ?? null, limit ?? null];
}

export function noCheckpoint(id: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no checkpoint ${id}`, { next: 'evstore checkpoints' });
}

export function movedMeanwhile({ subscriptionId, position }: Checkpoint, from: number | null): EvstoreError {
  return new EvstoreError(
    'E_SUPERSEDED',
    `the checkpoint ${subscriptionId} is at ${groupDigits(position)}, no longer at ${from === null ? 'none' : groupDigits(from)}`,
    {
      why: 'Another process moved it in the meantime. Nothing was changed.',
      next: `evstore checkpoints list ${shellWord(subscriptionId)}`,
    },
  );
}

export function foreignReadModel(table: string): EvstoreError {
  return new EvstoreError('E_FOREIGN_TABLE', `a table ${table} exists and no projection owns it`, {
    why: 'evstore did not create it, so it leaves it untouched. Rename it, or the table of the projection.',
    details: { table },
  });
}

export function missingReadModel(table: string): EvstoreError {
  return new EvstoreError('E_CONFIG', `create() of the projection made no table ${table}`, {
    why: 'Each name in `tables` must be made under the name that create() is given for it.',
  });
}
