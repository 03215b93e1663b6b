/**
 * The checkpoint of a saga, `saga:NAME`, under a lease that is renewed for as long as it is open. It stands below the
 * first trigger whose instance has not ended.
 */
import { EvstoreError } from '../domain/errors.js';
import type { ReadModel } from '../domain/read-model.js';
import { pause } from '../lease/back-off.js';
import { Heartbeat, leaseTtlMs } from '../lease/heartbeat.js';
import type { Event } from '../projection/define/definition.js';
import type { Lease, ProjectionStore } from '../store/store.js';
import type { Saga } from './definition.js';
import { sagaCategory } from './events.js';
import type { SagaRun } from './run-sagas.js';

/** How often a waiting process asks whether the saga has become free. */
const askMs = 1_000;

/** A saga keeps its state in streams, so beside its checkpoint there is nothing to make. */
const noTables: ReadModel = { kind: 'sql', tables: [], create: () => [] };

export class SagaSubscription {
  readonly #projections: ProjectionStore;
  readonly #lease: Lease;
  readonly #heartbeat: Heartbeat;
  /** Triggers whose instances have not ended, by position, in the order of the log. */
  readonly #open = new Map<number, string>();
  #readTo: number;
  #mark: number;
  #saving: Promise<void> = Promise.resolve();

  private constructor(projections: ProjectionStore, lease: Lease) {
    this.#projections = projections;
    this.#lease = lease;
    this.#readTo = lease.position;
    this.#mark = lease.position;
    this.#heartbeat = new Heartbeat(projections, lease);
  }

  /**
   * Undefined when the signal aborts before the lease is free. With `once` it waits for a lease that nobody renews any
   * more, as a process that died leaves it behind.
   * @throws E_LOCK_HELD with `once`, E_DIVERGED when the log ends below the checkpoint
   */
  static async open(saga: Saga, run: SagaRun): Promise<SagaSubscription | undefined> {
    const { store, once, signal, owner, report } = run;
    const { projections } = store;
    const subscriptionId = sagaCategory(saga.name);
    await projections.register({ name: subscriptionId, version: saga.version, codeHash: '', model: noTables });
    const request = { owner, ttlMs: leaseTtlMs };
    let told = '';
    let endsAt = Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      const answer = await projections.acquireLease({ kind: 'checkpoint', subscriptionId }, request);
      if (!answer.held) return new SagaSubscription(projections, await checked(answer.lease, store, subscriptionId));
      const { owner: holder, expiresInMs } = answer;
      if (once && performance.now() + expiresInMs > endsAt + askMs / 2) throw heldBy(saga.name, holder, expiresInMs);
      endsAt = performance.now() + expiresInMs;
      if (told !== holder) report?.({ kind: 'waiting', saga: saga.name, owner: holder });
      told = holder;
      await pause(Math.min(askMs, expiresInMs + 10), signal);
    }
    return undefined;
  }

  /** Everything up to here was read. */
  get readTo(): number {
    return this.#readTo;
  }

  /** Every instance with a trigger up to here has ended. */
  get mark(): number {
    return this.#mark;
  }

  /** Aborts when somebody else has the lease. */
  get lost(): AbortSignal {
    return this.#heartbeat.lost;
  }

  begin({ globalPosition, id }: Event): void {
    this.#open.set(globalPosition, id);
  }

  end({ globalPosition }: Event): void {
    this.#open.delete(globalPosition);
  }

  read(upTo: number): void {
    this.#readTo = upTo;
  }

  /** Moves the checkpoint to just below the first open trigger. @throws E_SUPERSEDED */
  async save(): Promise<void> {
    const saved = this.#saving.then(() => this.#saveMark());
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async close(): Promise<void> {
    this.#heartbeat.stop();
    await this.#saving;
    await this.#projections.releaseLease(this.#lease).catch(() => {});
  }

  async #saveMark(): Promise<void> {
    const [firstOpen] = this.#open.keys();
    const to = firstOpen === undefined ? this.#readTo : Math.min(this.#readTo, firstOpen - 1);
    if (to <= this.#mark) return;
    await this.#projections.apply({
      lease: this.#lease,
      from: this.#mark,
      to,
      lastEventId: null,
      changes: { kind: 'statements', statements: [] },
    });
    this.#mark = to;
  }
}

async function checked(lease: Lease, store: SagaRun['store'], subscriptionId: string): Promise<Lease> {
  const { head } = await store.log.head();
  if (lease.position <= head) return lease;
  await store.projections.releaseLease(lease);
  throw new EvstoreError(
    'E_DIVERGED',
    `${subscriptionId} is at position ${lease.position}, but the log ends at ${head}`,
    {
      why: 'The store was restored from an older state, or is another one.',
      next: `evstore checkpoints set ${subscriptionId} --to-head --execute`,
    },
  );
}

function heldBy(saga: string, owner: string, expiresInMs: number): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `saga ${saga} is run by ${owner}`, {
    why: `Its lease ends in ${Math.ceil(expiresInMs / 1000)} s unless it is renewed.`,
    next: 'evstore lag',
  });
}
