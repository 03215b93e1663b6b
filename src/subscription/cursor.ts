/** The checkpoint of one subscription, moved under its lease. */
import { type AuditFilter, tallyIds } from '../domain/audit.js';
import { isTransient } from '../domain/errors.js';
import type { EventQuery, RecordedEvent } from '../domain/event.js';
import { BackOff } from '../lease/back-off.js';
import type { Lease, ProjectionStore, SetAside } from '../store/store.js';

/** How long lost connections are retried, in milliseconds. */
export const retryMs = 30_000;

export class SubscriptionCursor {
  readonly #projections: ProjectionStore;
  readonly #id: string;
  readonly #lease: Lease;
  readonly #filter: AuditFilter | undefined;
  readonly #signal: AbortSignal;
  #position: number;

  constructor(
    projections: ProjectionStore,
    id: string,
    { lease, query, signal }: { readonly lease: Lease; readonly query: EventQuery; readonly signal: AbortSignal },
  ) {
    this.#projections = projections;
    this.#id = id;
    this.#lease = lease;
    this.#filter = toAuditFilter(query);
    this.#signal = signal;
    this.#position = lease.position;
  }

  get position(): number {
    return this.#position;
  }

  /**
   * Moves the checkpoint, which is then past exactly these events. When the answer is lost, it looks whether it moved.
   * @throws E_SUPERSEDED
   */
  async move(to: number, events: readonly RecordedEvent[], aside: readonly SetAside[] = []): Promise<void> {
    const deadline = performance.now() + retryMs;
    const backOff = new BackOff(100, 5_000);
    let isUnsure = false;
    for (;;) {
      try {
        if (!isUnsure || !(await this.#isAt(to))) await this.#apply(to, events, aside);
        this.#position = to;
        return;
      } catch (error) {
        if (!isTransient(error) || this.#signal.aborted || performance.now() > deadline) throw error;
        isUnsure = true;
        await backOff.wait(this.#signal);
      }
    }
  }

  async #apply(to: number, events: readonly RecordedEvent[], aside: readonly SetAside[]): Promise<void> {
    await this.#projections.apply({
      lease: this.#lease,
      from: this.#position,
      to,
      lastEventId: events.at(-1)?.id ?? null,
      ...(this.#filter !== undefined && { seen: { filter: this.#filter, ...tallyIds(events.map(({ id }) => id)) } }),
      changes: { kind: 'statements', statements: [] },
      ...(aside.length > 0 && { parked: { projection: this.#id, added: aside, removed: [] } }),
    });
  }

  /** Only this process moves it under the lease, unless it lost the lease: then the next move is refused. */
  async #isAt(to: number): Promise<boolean> {
    const all = await this.#projections.checkpoints();
    const found = all.find(({ subscriptionId }) => subscriptionId === this.#id);
    return found?.position === to && found.generation === this.#lease.generation;
  }
}

/** Returns undefined when more than category and types decides, which an audit cannot repeat. */
function toAuditFilter({ category, types, ...others }: EventQuery): AuditFilter | undefined {
  if (Object.values(others).some((value) => value !== undefined)) return undefined;
  return { ...(category !== undefined && { category }), ...(types !== undefined && { types }) };
}
