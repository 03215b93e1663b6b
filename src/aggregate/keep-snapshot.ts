/** Stores snapshots beside the work of a program. The command has succeeded by then: whatever goes wrong is only said. */
import { isEvstoreError } from '../domain/errors.js';
import type { NewSnapshot, Store } from '../store/store.js';
import type { LoadedState } from './load-state.js';
import type { PreparedAggregate } from './prepare.js';
import { StateFault, writeState } from './state-json.js';

/** The caller waits for it. */
const timeoutMs = 2_000;

export class SnapshotKeeper {
  readonly #snapshots: Pick<Store, 'snapshots'>['snapshots'];
  readonly #warn: (message: string) => void;
  readonly #told = new Set<string>();
  /** Aggregates whose snapshots this account may not write. */
  readonly #refused = new Set<string>();

  /** @param warn told once for each aggregate and reason */
  constructor({ snapshots }: Pick<Store, 'snapshots'>, warn: (message: string) => void) {
    this.#snapshots = snapshots;
    this.#warn = warn;
  }

  /** Returns the snapshot to store for a state that took many events to load; undefined when none is due, or possible. */
  make(aggregate: PreparedAggregate, streamId: string, loaded: LoadedState): NewSnapshot | undefined {
    const { name, every = Number.POSITIVE_INFINITY } = aggregate;
    if (loaded.read < every || loaded.eventId === undefined || this.#refused.has(name)) return undefined;
    if (loaded.snapshot?.origin === null) {
      this.#tell(
        name,
        'foreign',
        `another program keeps the snapshot of ${streamId}, and ${name} reads its events instead`,
      );
      return undefined;
    }
    try {
      return toSnapshot(aggregate, streamId, loaded);
    } catch (error) {
      if (!(error instanceof StateFault)) throw error;
      this.#tell(name, 'state', `${describeFault(name, error)}; its events are read instead`);
      return undefined;
    }
  }

  /** Never throws. */
  async save(snapshot: NewSnapshot): Promise<void> {
    const { aggregate, streamId } = snapshot;
    try {
      await this.#snapshots.save(snapshot, { timeoutMs });
    } catch (error) {
      const reason = isEvstoreError(error) ? error.code : 'error';
      if (['E_PERMISSION', 'E_READ_ONLY'].includes(reason)) this.#refused.add(aggregate);
      const message = error instanceof Error ? error.message : String(error);
      this.#tell(
        aggregate,
        reason,
        `the snapshot of ${streamId} was not stored: ${message}; its events are read instead`,
      );
    }
  }

  #tell(aggregate: string, reason: string, message: string): void {
    const key = `${aggregate} ${reason}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#warn(message);
  }
}

/** @throws StateFault */
export function toSnapshot(
  { name, category, version, codeHash }: PreparedAggregate,
  streamId: string,
  { state, version: upTo, eventId }: Pick<LoadedState, 'state' | 'version'> & { readonly eventId?: string | undefined },
): NewSnapshot {
  const origin = { aggregate: name, stateVersion: version, codeHash, eventId: eventId ?? '' };
  return { streamId, streamType: category, version: upTo, data: writeState(state), ...origin };
}

export function describeFault(aggregate: string, fault: StateFault): string {
  return `the state of ${aggregate} cannot be a snapshot: it has ${fault.message}, which JSON does not keep as it is`;
}
