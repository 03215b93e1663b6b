/**
 * The checkpoint of a saga, `saga:NAME`: every event up to it has started its instance, and was delivered to those that
 * waited for it.
 */
import { type AuditFilter, tallyIds } from '../domain/audit.js';
import type { Lease, ProjectionStore, SetAside, Store } from '../store/store.js';
import { registerSubscription } from '../subscription/take-lease.js';
import type { SagaDefinition } from './definition.js';
import { sagaCategory } from './events.js';

export async function registerSaga(store: Store, { name, version }: SagaDefinition): Promise<void> {
  await registerSubscription(store, sagaCategory(name), version);
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
