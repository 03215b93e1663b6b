/** Infers the shape of stored events: their types in order of appearance, and the fields of the first event's data. */
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { parseJson } from '../domain/json-value.js';
import { categoryOf, toSnakeCase } from '../domain/names.js';
import type { ColumnType } from '../domain/read-model.js';
import { normaliseTimestamp } from '../domain/timestamp.js';
import type { EventLog } from '../store/store.js';
import { isPlainEventType } from './names.js';
import type { Field } from './plan.js';

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
  /** The log has more of them. */
  readonly hasMore: boolean;
  /** Types and fields that were left out, because code cannot name them or there are too many. */
  readonly leftOut: readonly string[];
}

/** Without a category, the most frequent one is used. */
export interface Wanted {
  readonly category: string | undefined;
  readonly events: readonly string[] | undefined;
  /** The most events to examine. */
  readonly sample: number | 'all';
}

/** @throws E_NOT_FOUND when there is no such event */
export async function inferFromStore(log: EventLog, wanted: Wanted): Promise<Inferred> {
  const { events: types, sample } = wanted;
  const { category, lookedAt, hasMore } = await survey(log, wanted);
  const seen = new Set<string>(types);
  const fields = new Map<string, FieldType>();
  let first = types?.find(isPlainEventType);
  let isEmpty = true;
  for await (const event of readSample(log, wanted)) {
    if (types === undefined && categoryOf(event.streamId) !== category) continue;
    isEmpty = false;
    seen.add(event.type);
    first ??= isPlainEventType(event.type) ? event.type : undefined;
    if (event.type === first) addFields(fields, event.data);
  }
  if (category === undefined || isEmpty) {
    throw new EvstoreError('E_NOT_FOUND', 'no event to infer types from', {
      why: 'The code is generated from the types and data of stored events.',
      next: hasMore && sample !== 'all' ? 'evstore streams --sort events -n 10' : 'evstore read --limit 5',
    });
  }
  if (first === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `code cannot name any event type of ${category}`, {
      next: 'evstore scaffold projection --help',
    });
  }
  const plain = [...seen].filter(isPlainEventType);
  const chosen = chooseFields(fields);
  const leftOut = [...[...seen].filter((type) => !isPlainEventType(type)), ...plain.slice(maxTypes), ...chosen.others];
  return { category, events: plain.slice(0, maxTypes), fields: chosen.fields, lookedAt, hasMore, leftOut };
}

/** Counts the events of the sample, and finds the category that most of them are of. */
async function survey(log: EventLog, wanted: Wanted) {
  const counts = new Map<string, number>();
  let lookedAt = 0;
  for await (const { streamId } of readSample(log, wanted)) {
    lookedAt += 1;
    const category = categoryOf(streamId);
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  const mostFrequent = [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
  const hasMore = wanted.sample !== 'all' && (await countUpTo(log, wanted, wanted.sample + 1)) > wanted.sample;
  return { category: wanted.category ?? mostFrequent, lookedAt, hasMore };
}

async function countUpTo(log: EventLog, wanted: Wanted, limit: number): Promise<number> {
  let count = 0;
  for await (const { events } of log.readAll({ ...rangeOf(wanted), limit })) count += events.length;
  return count;
}

/** Without the events of sagas. */
async function* readSample(log: EventLog, wanted: Wanted): AsyncGenerator<RecordedEvent> {
  const { sample } = wanted;
  for await (const { events } of log.readAll({ ...rangeOf(wanted), ...(sample !== 'all' && { limit: sample }) })) {
    yield* events.filter(({ streamType }) => streamType !== 'saga');
  }
}

function rangeOf({ category, events: types }: Wanted) {
  return { ...(category !== undefined && { category }), ...(types !== undefined && { types }) };
}

function chooseFields(found: ReadonlyMap<string, FieldType>): {
  readonly fields: readonly Field[];
  readonly others: readonly string[];
} {
  const taken = new Set(takenColumns);
  const fields: Field[] = [];
  const others: string[] = [];
  for (const [name, type] of found) {
    const column = toSnakeCase(name);
    const fits = /^[a-z][A-Za-z0-9_]{0,39}$/.test(name) && !taken.has(column) && fields.length < maxFields;
    taken.add(column);
    if (!fits) others.push(name);
    else fields.push(describeField(name, type));
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

/** The column types that every value of a field so far fits, best first; null before the first value. */
type FieldType = readonly ColumnType[] | null;

const tests: readonly (readonly [ColumnType, (value: unknown) => boolean])[] = [
  [
    'bigint',
    (value) => Number.isSafeInteger(value) || (typeof value === 'bigint' && BigInt.asIntN(64, value) === value),
  ],
  ['real', (value) => typeof value === 'number'],
  ['boolean', (value) => typeof value === 'boolean'],
  ['timestamp', isTimestamp],
  ['text', (value) => typeof value === 'string'],
];

function addFields(fields: Map<string, FieldType>, data: string): void {
  const parsed: unknown = parseJson(data);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return;
  for (const [name, value] of Object.entries(parsed)) {
    const before = fields.get(name) ?? null;
    const fitting = tests.flatMap(([type, fits]) => (fits(value) ? [type] : []));
    const both = before === null ? fitting : before.filter((type) => fitting.includes(type));
    fields.set(name, value === null ? before : both);
  }
}

function describeField(name: string, types: FieldType): Field {
  const type = types?.[0] ?? 'json';
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
