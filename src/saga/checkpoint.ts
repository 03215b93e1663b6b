/**
 * The checkpoint of a saga, `saga:NAME`: every event up to it has started its instance, and was delivered to those that
 * waited for it.
 */
import { type AuditFilter, tallyIds } from '../domain/audit.js';
import { EvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import type { ReadModel } from '../domain/read-model.js';
import { askForLease, OwnerWatch } from '../lease/acquire.js';
import { pause } from '../lease/back-off.js';
import type { Lease, ProjectionStore, SetAside, Store } from '../store/store.js';
import type { SagaDefinition } from './definition.js';
import { sagaCategory } from './events.js';
import type { SagaRun } from './report.js';

/** How often a waiting process asks whether the lease is free. */
const askMs = 1_000;

/** A saga keeps its state in streams, so it has no tables. */
const noTables: ReadModel = { kind: 'sql', tables: [], create: () => [] };

export async function registerSaga({ projections }: Store, { name, version }: SagaDefinition): Promise<void> {
  await projections.register({ name: sagaCategory(name), version, codeHash: '', model: noTables });
}

/**
 * Takes the lease, waiting while another process holds it. With `once` it waits only for a lease whose owner may have
 * died. Returns undefined when the signal aborts first.
 * @throws E_LOCK_HELD with `once`
 * @throws E_DIVERGED when the log ends below the checkpoint
 */
export async function takeSagaLease(saga: string, run: SagaRun): Promise<Lease | undefined> {
  const { store, once, signal, owner, report } = run;
  const { projections } = store;
  const subscriptionId = sagaCategory(saga);
  let told = '';
  const watch = new OwnerWatch();
  while (!signal.aborted) {
    const target = { kind: 'checkpoint', subscriptionId } as const;
    const answer = await askForLease(projections, target, { owner });
    if (!answer.held) return assertInLog(answer.lease, store, subscriptionId);
    const { owner: holder, expiresInMs } = answer;
    if (once && watch.lives(answer)) throw heldBy(saga, holder, expiresInMs);
    if (told !== holder) report?.({ kind: 'waiting', saga, owner: holder });
    told = holder;
    await pause(Math.min(askMs, expiresInMs + 10), signal);
  }
  return undefined;
}

/** How far a saga has read the log. */
export interface ReadingPlace {
  readonly position: number;
  /** @throws E_SUPERSEDED when another process moved it */
  move(to: number, seen: readonly Seen[], aside: readonly SetAside[]): Promise<void>;
  /** Sets events aside that are before it. @throws as `move` does */
  setAside(aside: readonly SetAside[]): Promise<void>;
}

interface Seen {
  readonly id: string;
  readonly globalPosition: number;
}

export class SagaCheckpoint implements ReadingPlace {
  readonly #projections: ProjectionStore;
  readonly #lease: Lease;
  readonly #saga: string;
  readonly #filter: AuditFilter | undefined;
  #position: number;

  /** @param filter which events it reads; undefined when more than category and type decides */
  constructor(projections: ProjectionStore, lease: Lease, saga: string, filter: AuditFilter | undefined) {
    this.#projections = projections;
    this.#lease = lease;
    this.#saga = saga;
    this.#filter = filter;
    this.#position = lease.position;
  }

  get position(): number {
    return this.#position;
  }

  async move(to: number, seen: readonly Seen[], aside: readonly SetAside[]): Promise<void> {
    if (to <= this.#position) return;
    const tally = tallyIds(seen.map(({ id }) => id));
    const parked = { projection: sagaCategory(this.#saga), added: aside, removed: [] };
    await this.#projections.apply({
      lease: this.#lease,
      from: this.#position,
      to,
      lastEventId: seen.at(-1)?.id ?? null,
      ...(this.#filter !== undefined && { seen: { filter: this.#filter, ...tally } }),
      changes: { kind: 'statements', statements: [] },
      ...(aside.length > 0 && { parked }),
    });
    this.#position = to;
  }

  async setAside(aside: readonly SetAside[]): Promise<void> {
    if (aside.length === 0) return;
    await this.#projections.apply({
      lease: this.#lease,
      from: this.#position,
      to: this.#position,
      lastEventId: null,
      changes: { kind: 'statements', statements: [] },
      parked: { projection: sagaCategory(this.#saga), added: aside, removed: [] },
    });
  }
}

async function assertInLog(lease: Lease, store: Store, subscriptionId: string): Promise<Lease> {
  const { head } = await store.log.head();
  if (lease.position <= head) return lease;
  await store.projections.releaseLease(lease);
  throw new EvstoreError(
    'E_DIVERGED',
    `the log ends at ${groupDigits(head)}, but ${subscriptionId} is at ${groupDigits(lease.position)}`,
    {
      why: 'The store was restored from an older state, or this is another store.',
      next: `evstore checkpoints set ${subscriptionId} --to-head --execute`,
    },
  );
}

function heldBy(saga: string, owner: string, expiresInMs: number): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `${owner} is running saga ${saga}`, {
    why: `Its lease ends in ${Math.ceil(expiresInMs / 1000)} s unless it is renewed.`,
    next: 'evstore lag',
  });
}
