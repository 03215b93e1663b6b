/** An aggregate, checked, with the identity of its code. */
import { joinHashes, type SourceHash } from '../domain/code-identity.js';
import { EvstoreError } from '../domain/errors.js';
import { checkStreamId } from '../domain/names.js';
import { sha256 } from '../projection/define/code-hash.js';
import type { Reading } from '../projection/define/event.js';
import { explain } from '../projection/define/handler-error.js';
import { describeValue, isPromise } from '../projection/define/values.js';
import type { Aggregate } from './definition.js';
import { StateFault, writeState } from './state-json.js';
import { checkAggregate } from './validate.js';

export interface PreparedAggregate {
  readonly definition: Aggregate;
  readonly name: string;
  readonly category: string;
  readonly version: number;
  /** See domain/code-identity.ts. */
  readonly codeHash: string;
  /** How events are read: with the upcasters of the definition, then those of the store for other types. */
  readonly reading: Reading;
  /** How many events are read before the next snapshot; undefined when it has none. */
  readonly every: number | undefined;
}

/**
 * @param definition unchecked
 * @param options.source undefined when a program passed it in
 * @param options.reading of the store that a program opened
 * @throws E_CONFIG, and E_HANDLER when `initial` throws
 */
export function prepareAggregate(
  definition: unknown,
  { source, reading = {} }: { readonly source?: SourceHash | undefined; readonly reading?: Reading } = {},
): PreparedAggregate {
  const aggregate = checkAggregate(definition);
  const { name, category, version, upcasters: own = [], snapshot } = aggregate;
  const types = new Set(own.map(({ type }) => type));
  const upcasters = [...own, ...(reading.upcasters ?? []).filter(({ type }) => !types.has(type))];
  const all = { upcasters, roundNumbers: aggregate.roundNumbers ?? reading.roundNumbers ?? false };
  const codeHash = hashAggregate(aggregate, all, source);
  return { definition: aggregate, name, category, version, codeHash, reading: all, every: snapshot?.every };
}

/**
 * Hashes what is the same however the code is compiled: the category, the types, the schema versions, and the initial state,
 * which is a value. The author's version says that the functions are the same, as for projections.
 */
function hashAggregate(aggregate: Aggregate, { upcasters = [], roundNumbers }: Reading, source?: SourceHash): string {
  const { category, evolve, codeHash } = aggregate;
  const definition = sha256([
    'aggregate',
    category,
    Object.keys(evolve).sort(),
    upcasters.map(({ type, from, to }) => [type, from, to]),
    roundNumbers,
    describeInitial(aggregate),
  ]);
  return joinHashes(definition, { own: codeHash === undefined ? undefined : sha256(codeHash), source });
}

/** A state that cannot be written has no snapshots to compare. */
function describeInitial(aggregate: Aggregate): string | null {
  try {
    return writeState(makeInitial(aggregate));
  } catch (error) {
    if (error instanceof StateFault) return null;
    throw error;
  }
}

/** @throws E_HANDLER when `initial` throws, or returns nothing or a promise */
export function makeInitial({ name, initial }: Aggregate): unknown {
  const failed = (why: string, cause?: unknown) =>
    new EvstoreError('E_HANDLER', `aggregate ${name} has no initial state`, { why, cause });
  let state: unknown;
  try {
    state = initial();
  } catch (error) {
    throw failed(explain('initial', error), error);
  }
  if (state !== undefined && !isPromise(state)) return state;
  throw failed(`initial returns a state, not ${describeValue(state)}.`);
}

/**
 * Returns the stream of an aggregate.
 * @throws E_INVALID_INPUT for an id that is not one, or is the name of the stream
 */
export function streamOf({ name, category }: PreparedAggregate, id: string): string {
  if (id === '') throw new EvstoreError('E_INVALID_INPUT', `the id of ${name} is empty`);
  if (id.startsWith(`${category}-`)) {
    throw new EvstoreError('E_INVALID_INPUT', `'${id.slice(0, 60)}' is the name of a stream, not the id of ${name}`, {
      why: `The id is what follows ${category}- in the name of the stream.`,
    });
  }
  const streamId = `${category}-${id}`;
  checkStreamId(streamId);
  return streamId;
}
