/** Infers what generated code needs from stored events: their types, and the fields of the first one's data. */
import { EvstoreError } from '../domain/errors.js';
import { matches } from '../domain/matches.js';
import { categoryOf, toSnakeCase } from '../domain/names.js';
import type { ColumnType } from '../domain/read-model.js';
import { isOfSaga, type LookOptions, lookAtStore } from '../inference/look.js';
import type { Member, Shape, TypeShape } from '../inference/shape.js';
import type { Store, TypeSpan } from '../store/store.js';
import { isPlainEventType } from './names.js';
import type { Field } from './plan.js';
import { writeSample } from './sample.js';

const maxTypes = 50;
const maxFields = 20;

/** Columns that the summary template has already, as spelled in the database. */
const takenColumns: ReadonlySet<string> = new Set(['stream_id', 'status', 'events', 'changed_at']);

export interface Inferred {
  readonly category: string;
  /** In order of appearance. */
  readonly events: readonly string[];
  /** The fields of the data of the first event. */
  readonly fields: readonly Field[];
  /** The shapes of the data of all of them. */
  readonly shapes: readonly TypeShape[];
  /** The number of events examined. */
  readonly lookedAt: number;
  /** Every event of these types was examined. */
  readonly complete: boolean;
  /** Types and fields that were left out, because code cannot name them or there are too many. */
  readonly leftOut: readonly string[];
}

/** Without a category, the largest one is used. */
export interface Wanted extends Pick<LookOptions, 'sample' | 'progress' | 'signal'> {
  readonly category: string | undefined;
  readonly events: readonly string[] | undefined;
}

/** @throws E_NOT_FOUND when there is no such event */
export async function inferFromStore(store: Store, wanted: Wanted): Promise<Inferred> {
  const found = await findTypes(store, wanted);
  const { category } = found;
  if (category === undefined) {
    throw new EvstoreError('E_NOT_FOUND', 'no event to infer types from', {
      why: 'The code is generated from the types and data of stored events.',
      next: 'evstore types',
    });
  }
  const types = wanted.events ?? found.types;
  const plain = types.filter(isPlainEventType);
  const [first] = plain;
  if (first === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `code cannot name any event type of ${category}`, {
      next: 'evstore scaffold projection --help',
    });
  }
  const events = plain.slice(0, maxTypes);
  const { sample, progress, signal } = wanted;
  const looked = await lookAtStore(store, { sample, progress, signal, enums: true, category, types: events });
  const shape = looked.types.find(({ type }) => type === first)?.versions.at(-1)?.data;
  const chosen = chooseFields(membersOf(shape));
  return {
    ...{ category, events, fields: chosen.fields, shapes: looked.types },
    lookedAt: looked.events,
    complete: looked.complete,
    leftOut: [...types.filter((type) => !isPlainEventType(type)), ...plain.slice(maxTypes), ...chosen.others],
  };
}

/** The last events of a type by which its categories are known. */
const lastEvents = 20;
/** Counting in an index up to here takes a millisecond. */
const mostCounted = 10_000;

/** Finds the types of the category, or of the largest one: by the number of events of each type, and its last events. */
async function findTypes({ statistics }: Store, wanted: Wanted) {
  const counts = new Map<string, number>();
  const seen: { readonly span: TypeSpan; readonly categories: ReadonlySet<string> }[] = [];
  for (const span of await statistics.types()) {
    wanted.signal.throwIfAborted();
    if (wanted.events !== undefined && !wanted.events.includes(span.type)) continue;
    const last = (await statistics.latest(span.type, lastEvents)).filter((event) => !isOfSaga(event));
    const inside =
      wanted.category === undefined
        ? last
        : last.filter((event) => matches({ category: wanted.category ?? '' }, event));
    if (inside.length === 0) continue;
    const events = wanted.category === undefined ? await statistics.countType(span.type, mostCounted) : 1;
    for (const { streamId } of inside) add(counts, categoryOf(streamId), events / inside.length);
    seen.push({ span, categories: new Set(inside.map(({ streamId }) => categoryOf(streamId))) });
  }
  const [largest] = [...counts].sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
  const category = largest?.[0];
  const types = seen.filter(({ categories }) => categories.has(category ?? '')).map(({ span }) => span);
  types.sort((a, b) => a.firstPosition - b.firstPosition);
  return { category, types: types.map(({ type }) => type) };
}

function add(counts: Map<string, number>, name: string, amount: number): void {
  counts.set(name, (counts.get(name) ?? 0) + amount);
}

function membersOf(shape: Shape | undefined): readonly Member[] {
  const object = (shape?.is === 'union' ? shape.of : [shape]).find((each) => each?.is === 'object');
  return object?.is === 'object' ? object.members : [];
}

function chooseFields(members: readonly Member[]): {
  readonly fields: readonly Field[];
  readonly others: readonly string[];
} {
  const taken = new Set(takenColumns);
  const fields: Field[] = [];
  const others: string[] = [];
  for (const { name, shape } of members) {
    const column = toSnakeCase(name);
    const fits = /^[a-z][A-Za-z0-9_]{0,39}$/.test(name) && !taken.has(column) && fields.length < maxFields;
    taken.add(column);
    if (!fits) others.push(name);
    else fields.push(describeField(name, shape));
  }
  return { fields, others };
}

function describeField(name: string, shape: Shape): Field {
  return { name, type: columnOf(shape), sample: writeSample(shape, name) };
}

/** The column that takes every value of a field. */
function columnOf(shape: Shape): ColumnType {
  const kinds = (shape.is === 'union' ? shape.of : [shape]).filter(({ is }) => is !== 'null');
  const [only, ...others] = kinds;
  if (only === undefined || others.length > 0) return 'json';
  if (only.is === 'number' || only.is === 'bigint') {
    if (only.whole === true) return 'bigint';
    return only.is === 'number' ? 'real' : 'json';
  }
  if (only.is === 'string') return only.format === 'time' ? 'timestamp' : 'text';
  return only.is === 'boolean' ? 'boolean' : 'json';
}
