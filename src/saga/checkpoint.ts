/** The checkpoint of a saga, `saga:NAME`: it stays below the first trigger whose instance has not ended. */

import { type AuditFilter, tallyIds } from '../domain/audit.js';
import { detach } from '../domain/detach.js';
import { EvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import type { ReadModel } from '../domain/read-model.js';
import { askForLease, OwnerWatch } from '../lease/acquire.js';
import { pause } from '../lease/back-off.js';
import type { Event } from '../projection/define/definition.js';
import type { Lease, ProjectionStore, Store } from '../store/store.js';
import type { Saga } from './definition.js';
import { sagaCategory } from './events.js';
import type { SagaRun } from './report.js';

/** How often a waiting process asks whether the lease is free. */
const askMs = 1_000;

/** A saga keeps its state in streams, so it has no tables. */
const noTables: ReadModel = { kind: 'sql', tables: [], create: () => [] };

/**
 * Takes the lease, waiting while another process holds it. With `once` it waits only for a lease whose owner may have
 * died. Returns undefined when the signal aborts first.
 * @throws E_LOCK_HELD with `once`
 * @throws E_DIVERGED when the log ends below the checkpoint
 */
export async function takeSagaLease(saga: Saga, run: SagaRun): Promise<Lease | undefined> {
  const { store, once, signal, owner, report } = run;
  const { projections } = store;
  const subscriptionId = sagaCategory(saga.name);
  await projections.register({ name: subscriptionId, version: saga.version, codeHash: '', model: noTables });
  let told = '';
  const watch = new OwnerWatch();
  while (!signal.aborted) {
    const target = { kind: 'checkpoint', subscriptionId } as const;
    const answer = await askForLease(projections, target, { owner });
    if (!answer.held) return assertInLog(answer.lease, store, subscriptionId);
    const { owner: holder, expiresInMs } = answer;
    if (once && watch.lives(answer)) throw heldBy(saga.name, holder, expiresInMs);
    if (told !== holder) report?.({ kind: 'waiting', saga: saga.name, owner: holder });
    told = holder;
    await pause(Math.min(askMs, expiresInMs + 10), signal);
  }
  return undefined;
}

export class SagaCheckpoint {
  readonly #projections: ProjectionStore;
  readonly #lease: Lease;
  /** Positions of triggers whose instances have not ended, in the order of the log. */
  readonly #open = new Set<number>();
  readonly #filter: AuditFilter | undefined;
  /** Triggers beyond the position, for the audit. */
  #seen: { readonly id: string; readonly globalPosition: number }[] = [];
  #readTo: number;
  #position: number;
  #saving: Promise<void> = Promise.resolve();

  /** @param filter which events it reads; undefined when more than category and type decides */
  constructor(projections: ProjectionStore, lease: Lease, filter: AuditFilter | undefined) {
    this.#filter = filter;
    this.#projections = projections;
    this.#lease = lease;
    this.#readTo = lease.position;
    this.#position = lease.position;
  }

  /** Everything up to here was read. */
  get readTo(): number {
    return this.#readTo;
  }

  /** Every instance whose trigger is at or below this position has ended. */
  get position(): number {
    return this.#position;
  }

  begin({ id, globalPosition }: Event): void {
    this.#open.add(globalPosition);
    this.#seen.push({ id: detach(id), globalPosition });
  }

  end({ globalPosition }: Event): void {
    this.#open.delete(globalPosition);
  }

  read(upTo: number): void {
    this.#readTo = upTo;
  }

  /** Moves the checkpoint to just below the first open trigger. @throws E_SUPERSEDED */
  async save(): Promise<void> {
    const saved = this.#saving.then(() => this.#move());
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async #move(): Promise<void> {
    const [firstOpen = Number.POSITIVE_INFINITY] = this.#open;
    const to = Math.min(this.#readTo, firstOpen - 1);
    if (to <= this.#position) return;
    const passed = this.#seen.filter(({ globalPosition }) => globalPosition <= to);
    await this.#projections.apply({
      lease: this.#lease,
      from: this.#position,
      to,
      lastEventId: passed.at(-1)?.id ?? null,
      ...(this.#filter !== undefined && { seen: { filter: this.#filter, ...tallyIds(passed.map(({ id }) => id)) } }),
      changes: { kind: 'statements', statements: [] },
    });
    this.#position = to;
    this.#seen = this.#seen.filter(({ globalPosition }) => globalPosition > to);
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
