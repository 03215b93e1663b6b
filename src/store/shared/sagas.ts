/** Parameters and rows of the statements about instances of sagas. */
import type { SagaPhase } from '../../domain/saga-phase.js';
import { activePhases, endPhases } from '../../domain/saga-phase.js';
import { storedTimestamp } from '../../domain/timestamp.js';
import type {
  ClaimedInstance,
  InstanceChange,
  InstanceCount,
  InstanceKey,
  InstanceOwner,
  InstanceRecord,
  InstanceRow,
  InstancesOptions,
  OverdueCount,
  OverdueLimits,
  RecordOutcome,
  RestoredInstance,
} from '../store.js';
import { type RawRow, toInteger, toOneOf, toOptional, toText, toTimestamp } from './rows.js';
import { prefixRange } from './streams.js';

const phases: readonly SagaPhase[] = [...activePhases, ...endPhases];

/** A row as the statements of both engines take it. Exactly one of `dueAt` and `dueInMs` is set, or none. */
export interface GivenInstance extends Omit<InstanceRow, 'due'> {
  readonly streamVersion: number;
  readonly dueAt: string | null;
  readonly dueInMs: number | null;
}

export function toGivenInstance({ due, ...row }: InstanceRow, streamVersion: number): GivenInstance {
  return {
    ...row,
    streamVersion,
    dueAt: due !== null && 'at' in due ? storedTimestamp(due.at) : null,
    dueInMs: due !== null && 'inMs' in due ? due.inMs : null,
  };
}

export function versionAfter({ version, events }: InstanceChange): number {
  return version + events.length;
}

export function restoredTimes({ startedAt, since, movedAt }: RestoredInstance): readonly [string, string, string] {
  return [storedTimestamp(startedAt), storedTimestamp(since), storedTimestamp(movedAt)];
}

/** What is known of a change that was refused. Version of its stream; version and position of its last event, if stored. */
export interface ChangeState {
  readonly actualVersion: number;
  readonly stored: { readonly version: number; readonly globalPosition: number } | undefined;
}

/** Columns as in record-state.sql. */
export function toChangeState(row: RawRow): ChangeState {
  const version = toOptional(row[1], toInteger);
  return {
    actualVersion: toInteger(row[0]),
    stored: version === null ? undefined : { version, globalPosition: toInteger(row[2]) },
  };
}

/** Returns undefined for a change that can be written. An append is atomic, so the last event stands for all of them. */
export function judgeChange(change: InstanceChange, { actualVersion, stored }: ChangeState): RecordOutcome | undefined {
  if (stored !== undefined) return { kind: 'known', ...stored };
  return actualVersion === change.version ? undefined : { kind: 'conflict', actualVersion };
}

/** Columns as in instances.sql. */
export function toInstanceRecord(row: RawRow): InstanceRecord {
  return {
    saga: toText(row[0]),
    instance: toText(row[1]),
    sagaVersion: toInteger(row[2]),
    definition: toText(row[3]),
    streamVersion: toInteger(row[4]),
    phase: toOneOf(phases, row[5], 'phase of a saga'),
    step: toOptional(row[6], toText),
    attempt: toInteger(row[7]),
    triggerPosition: toInteger(row[8]),
    correlationId: toText(row[9]),
    error: toOptional(row[10], toText),
    reason: toOptional(row[11], toText),
    waitKey: toOptional(row[12], toText),
    startedAt: toTimestamp(row[13]),
    since: toTimestamp(row[14]),
    movedAt: toTimestamp(row[15]),
    dueAt: toOptional(row[16], toTimestamp),
    owner: toOptional(row[17], toText),
  };
}

/** Columns as in count-instances.sql. */
export function toInstanceCount(row: RawRow): InstanceCount {
  const phase = toOneOf(phases, row[3], 'phase of a saga');
  return {
    saga: toText(row[0]),
    version: toInteger(row[1]),
    definition: toText(row[2]),
    phase,
    instances: toInteger(row[4]),
    oldestSince: activePhases.some((each) => each === phase) ? toTimestamp(row[5]) : null,
  };
}

/** Columns as in count-overdue.sql. */
export function toOverdueCount(row: RawRow): OverdueCount {
  return { saga: toText(row[0]), instances: toInteger(row[1]) };
}

export function toInstanceKey(row: RawRow): InstanceKey {
  return { saga: toText(row[0]), instance: toText(row[1]) };
}

/** Columns as in claim-instances.sql. */
export function toClaimedInstance(row: RawRow): ClaimedInstance {
  return { ...toInstanceKey(row), streamVersion: toInteger(row[2]) };
}

/** Columns as in instance-owners.sql. */
export function toInstanceOwner(row: RawRow): InstanceOwner {
  return {
    owner: toText(row[0]),
    process: toOptional(row[1], toText),
    instances: toInteger(row[2]),
    expiresInMs: toInteger(row[3]),
  };
}

type Value = string | number;

/** What the engines write differently. */
export interface InstancesDialect {
  /** The n-th parameter, from 1. */
  readonly place: (place: number) => string;
  /** The time so many milliseconds ago, which are the n-th parameter. */
  readonly ago: (place: number) => string;
}

export interface InstancesQuery extends Partial<InstancesOptions> {
  readonly instance?: string;
  readonly waitKeys?: readonly string[];
}

/** @param text of instances.sql */
export function planInstances(
  text: string,
  query: InstancesQuery,
  { place, ago }: InstancesDialect,
): { readonly text: string; readonly parameters: readonly Value[] } {
  const parameters: Value[] = [];
  const give = (value: Value): number => parameters.push(value);
  const among = (column: string, values: readonly Value[]): string =>
    values.length === 0 ? 'false' : `${column} in (${values.map((value) => place(give(value))).join(', ')})`;
  const conditions: string[] = [];
  const overdueCondition = ({ unheldMs, heldMs, stillMs }: OverdueLimits): string => {
    const now = ago(give(0));
    const held = `(owner is not null and claim_expires_at is not null and claim_expires_at > ${now})`;
    const kinds = [
      "phase = 'compensation-failed'",
      "(phase = 'compensating' and error is not null)",
      `(due_at <= ${ago(give(unheldMs))} and not ${held})`,
      `(due_at <= ${ago(give(heldMs))} and moved_at <= ${ago(give(heldMs))} and ${held})`,
    ];
    if (stillMs !== undefined) kinds.push(`(${among('phase', activePhases)} and moved_at <= ${ago(give(stillMs))})`);
    return `(${kinds.join(' or ')})`;
  };
  if (query.saga !== undefined) conditions.push(`saga = ${place(give(query.saga))}`);
  if (query.instance !== undefined) conditions.push(`instance = ${place(give(query.instance))}`);
  if (query.waitKeys !== undefined) conditions.push(among('wait_key', query.waitKeys));
  if (query.phases !== undefined) conditions.push(among('phase', query.phases));
  if (query.prefix !== undefined && query.prefix !== '') {
    const [from = '', to] = prefixRange(query.prefix);
    conditions.push(`instance >= ${place(give(from))}`);
    if (to !== undefined) conditions.push(`instance < ${place(give(to))}`);
  }
  if (query.notMovedForMs !== undefined) conditions.push(`moved_at <= ${ago(give(query.notMovedForMs))}`);
  if (query.dueForMs !== undefined) conditions.push(`due_at <= ${ago(give(query.dueForMs))}`);
  if (query.overdue !== undefined) conditions.push(overdueCondition(query.overdue));
  const sort = query.sort === 'oldest' ? 'moved_at' : query.sort === 'moved' ? 'moved_at desc' : undefined;
  const limit = query.limit === undefined ? '' : ` limit ${place(give(query.limit))}`;
  return {
    text: `${text
      .replace('/* conditions */ true', () => conditions.join(' and ') || '1 = 1')
      .replace('/* sort */', sort === undefined ? '' : `${sort},`)}${limit}`,
    parameters,
  };
}
