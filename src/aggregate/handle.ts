/** Handles a command: load → decide → append at the version that was loaded, and again when another writer was faster. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { AppendResult } from '../domain/event.js';
import { pause } from '../lease/back-off.js';
import { describeValue, isPromise } from '../projection/define/values.js';
import type { Store } from '../store/store.js';
import type { SnapshotKeeper } from './keep-snapshot.js';
import { type LoadedState, loadState } from './load-state.js';
import { type PreparedAggregate, streamOf } from './prepare.js';

/** What a command led to. */
export interface HandleResult extends Omit<AppendResult, 'globalPosition'> {
  /** Highest global position of the new events; null when the decision was to append none. */
  readonly globalPosition: number | null;
  /** How often it was decided: more than once when other writers were faster. */
  readonly decisions: number;
}

export interface HandleRequest {
  readonly store: Pick<Store, 'log' | 'snapshots'>;
  readonly aggregate: PreparedAggregate;
  readonly id: string;
  readonly command: unknown;
  /** How often to decide before the conflict is thrown. */
  readonly attempts: number;
  /** Checks the events that were decided, gives them ids, and appends them, with inline projections. */
  readonly append: (streamId: string, events: readonly unknown[], version: number) => Promise<AppendResult>;
  readonly keeper: SnapshotKeeper;
}

const firstPauseMs = 2;
const longestPauseMs = 200;

/**
 * @throws what `decide` throws, unchanged
 * @throws E_VERSION_CONFLICT when other writers were faster each time, E_HANDLER naming an event that `evolve` failed on,
 * and as `append`
 */
export async function handleCommand(request: HandleRequest): Promise<HandleResult> {
  const { store, aggregate, id, attempts, append, keeper } = request;
  const streamId = streamOf(aggregate, id);
  assertDecides(aggregate);
  for (let decisions = 1; ; decisions += 1) {
    const loaded = await loadState(store, aggregate, streamId);
    // Before `decide`, which could change the object.
    const snapshot = keeper.make(aggregate, streamId, loaded);
    const events = decide(request, streamId, loaded);
    try {
      const { version } = loaded;
      const result = events.length === 0 ? nothing(streamId, version) : await append(streamId, events, version);
      if (snapshot !== undefined) await keeper.save(snapshot);
      return { ...result, decisions };
    } catch (error) {
      if (!isEvstoreError(error) || error.code !== 'E_VERSION_CONFLICT') throw error;
      if (decisions >= attempts) throw alwaysLate(aggregate, decisions, error);
    }
    await pause(Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** decisions));
  }
}

function nothing(streamId: string, version: number): Omit<HandleResult, 'decisions'> {
  return { streamId, events: [], version, globalPosition: null, deduplicated: false };
}

function decide({ aggregate, id, command }: HandleRequest, streamId: string, loaded: LoadedState): readonly unknown[] {
  const { name, definition } = aggregate;
  const { state, version } = loaded;
  const decision: unknown = definition.decide?.(state, command as never, { id, streamId, version });
  if (isPromise(decision)) {
    throw new EvstoreError('E_HANDLER', `decide of aggregate ${name} returned a promise`, {
      why: 'It may be called again when another writer was faster, so it cannot be async. Do what takes time first, and put the result into the command.',
    });
  }
  if (decision === undefined || decision === null) return [];
  if (Array.isArray(decision)) return decision;
  if (typeof decision === 'object') return [decision];
  throw new EvstoreError('E_HANDLER', `decide of aggregate ${name} returns events, not ${describeValue(decision)}`);
}

function assertDecides({ name, definition }: PreparedAggregate): void {
  if (definition.decide !== undefined) return;
  throw new EvstoreError('E_CONFIG', `aggregate ${name} has no decide`, {
    why: 'Its decide handles the commands: a function of the state and the command that returns events.',
  });
}

function alwaysLate({ name }: PreparedAggregate, decisions: number, conflict: EvstoreError): EvstoreError {
  return new EvstoreError('E_VERSION_CONFLICT', conflict.message, {
    why: `${name} decided ${decisions === 1 ? 'once' : `${decisions} times`}, and other writers were faster each time.`,
    next: conflict.next,
    details: { ...conflict.details, decisions },
    cause: conflict,
  });
}
