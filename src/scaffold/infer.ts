/** Infers the shape of stored events: their types in order of appearance, and the fields of the first event's data. */
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { categoryOf, toSnakeCase } from '../domain/names.js';
import type { ColumnType } from '../domain/read-model.js';
import { normaliseTimestamp } from '../domain/timestamp.js';
import type { EventLog } from '../store/store.js';
import { isPlainEventType } from './names.js';
import type { Field } from './plan.js';

/** The number of events examined. */
const sampleSize = 2_000;
const maxTypes = 50;
const maxFields = 20;

/** Columns that the summary template has already, as spelled in the database. */
const takenColumns: ReadonlySet<string> = new Set(['stream_id', 'status', 'events', 'changed_at']);

export interface Inferred {
  readonly category: string;
  readonly events: readonly string[];
  /** The fields of the data of the first event. */
  readonly fields: readonly Field[];
  /** The number of events examined, from the start of the log. */
  readonly lookedAt: number;
  /** Types and fields that were left out, because code cannot name them or there are too many. */
  readonly leftOut: readonly string[];
}

/** Without a category, the most frequent one is used. */
export interface Wanted {
  readonly category: string | undefined;
  readonly events: readonly string[] | undefined;
}

/** @throws E_NOT_FOUND when there is no such event */
export async function inferFromStore(log: EventLog, wanted: Wanted): Promise<Inferred> {
  const { category: given, events: types } = wanted;
  const sample: RecordedEvent[] = [];
  const range = { ...(given !== undefined && { category: given }), ...(types !== undefined && { types }) };
  for await (const { events } of log.readAll({ ...range, limit: sampleSize })) {
    sample.push(...events.filter(({ streamType }) => streamType !== 'saga'));
  }
  const category = given ?? mostFrequent(sample.map(({ streamId }) => categoryOf(streamId)));
  const chosen = sample.filter(({ streamId }) => types !== undefined || categoryOf(streamId) === category);
  if (category === undefined || chosen.length === 0) {
    throw new EvstoreError('E_NOT_FOUND', 'no event to infer types from', {
      why: 'The code is generated from the types and data of stored events.',
      next: 'evstore read --limit 5',
    });
  }
  const seen = types ?? [...new Set(chosen.map(({ type }) => type))];
  const plain = seen.filter(isPlainEventType);
  const [first] = plain;
  if (first === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `code cannot name any event type of ${category}`, {
      next: 'evstore scaffold projection --help',
    });
  }
  const { fields, others } = inferFields(chosen.filter(({ type }) => type === first));
  const leftOut = [...seen.filter((type) => !isPlainEventType(type)), ...plain.slice(maxTypes), ...others];
  return { category, events: plain.slice(0, maxTypes), fields, lookedAt: sample.length, leftOut };
}

function inferFields(events: readonly RecordedEvent[]): { fields: readonly Field[]; others: readonly string[] } {
  const values = new Map<string, unknown[]>();
  for (const { data } of events) {
    const parsed: unknown = JSON.parse(data);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) continue;
    for (const [name, value] of Object.entries(parsed)) values.set(name, [...(values.get(name) ?? []), value]);
  }
  const taken = new Set(takenColumns);
  const fields: Field[] = [];
  const others: string[] = [];
  for (const [name, seen] of values) {
    const column = toSnakeCase(name);
    const fits = /^[a-z][A-Za-z0-9_]{0,39}$/.test(name) && !taken.has(column) && fields.length < maxFields;
    taken.add(column);
    if (!fits) others.push(name);
    else fields.push(describeField(name, seen));
  }
  return { fields, others };
}

const samples: Partial<Readonly<Record<ColumnType, string>>> = {
  bigint: '7',
  real: '1.5',
  boolean: 'true',
  timestamp: "'2026-01-01T00:00:00.000Z'",
  text: "'text'",
};

function describeField(name: string, values: readonly unknown[]): Field {
  const present = values.filter((value) => value !== null);
  const types: readonly [ColumnType, (value: unknown) => boolean][] = [
    ['bigint', (value) => Number.isSafeInteger(value)],
    ['real', (value) => typeof value === 'number'],
    ['boolean', (value) => typeof value === 'boolean'],
    ['timestamp', isTimestamp],
    ['text', (value) => typeof value === 'string'],
  ];
  const type = present.length === 0 ? 'json' : (types.find(([, fits]) => present.every(fits))?.[0] ?? 'json');
  return { name, type, sample: samples[type] ?? '{ any: [1] }' };
}

function isTimestamp(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(value)) return false;
  try {
    return normaliseTimestamp(value) !== '';
  } catch {
    return false;
  }
}

function mostFrequent(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
