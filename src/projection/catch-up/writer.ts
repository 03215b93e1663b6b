import type { Lease, Store } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import type { ErrorHandling } from '../define/set-aside.js';
import type { Folded } from '../fold/batch-fold.js';
import { type Handled, HeldEvents } from './held-events.js';

export interface WriterTarget extends Pick<ErrorHandling, 'tellAside'> {
  readonly lease: Lease;
  /** Of a rebuild: the tables whose position moves. */
  readonly side?: 'built' | 'old';
  /** Every event up to here is in the tables, parked or skipped. */
  readonly position: number;
  /** Aborted: nothing more is written. */
  readonly signal: AbortSignal;
}

/** Writes changes, parked and skipped events, and the position behind them: a transaction each time. */
export class Writer {
  readonly #store: Store;
  readonly #projection: PreparedProjection;
  readonly #target: WriterTarget;
  /** Goes into the next write. */
  #added: HeldEvents | undefined;
  #position: number;
  #events = 0;
  #aside = 0;

  constructor(store: Store, projection: PreparedProjection, target: WriterTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#position = target.position;
  }

  /** Every event up to here is in the tables, parked or skipped. */
  get position(): number {
    return this.#position;
  }

  /** Events applied so far. */
  get events(): number {
    return this.#events;
  }

  /** Events parked or skipped so far. */
  get aside(): number {
    return this.#aside;
  }

  /** Continues where the tables were found to be. */
  moveTo(position: number): void {
    this.#position = position;
    this.forget();
  }

  /** Adds events without changes to the next write, to save a transaction. */
  add(handled: Handled): void {
    this.#added ??= new HeldEvents(this.#position);
    this.#added.add(handled);
  }

  /** Drops what was added to the next write. */
  forget(): void {
    this.#added = undefined;
  }

  /** @throws E_SUPERSEDED when another process has the lease */
  async write(handled: Handled, { changes, writeOutside }: Folded): Promise<void> {
    const { lease, side, signal, tellAside } = this.#target;
    const { upTo } = handled;
    if (signal.aborted || upTo <= this.#position) return;
    await writeOutside?.({ from: this.#position, to: upTo });
    if (signal.aborted) return;
    const { filter, name } = this.#projection;
    const { tally, lastEventId, aside } = this.#withAdded(handled);
    await this.#store.projections.apply({
      lease,
      ...(side !== undefined && { side }),
      from: this.#position,
      to: upTo,
      lastEventId,
      seen: { filter, ...tally },
      changes,
      ...(aside.length > 0 && { parked: { projection: holderOf(lease, name), added: aside, removed: [] } }),
    });
    this.#position = upTo;
    this.#added = undefined;
    this.#events += tally.events - aside.length;
    this.#aside += aside.length;
    for (const each of aside) tellAside?.(each, name);
  }

  #withAdded(handled: Handled): Handled {
    if (this.#added === undefined) return handled;
    const both = new HeldEvents(this.#position);
    both.add(this.#added);
    both.add(handled);
    return both;
  }
}

/** A part of a projection has its own parked events; the tables of a rebuild are not divided. */
function holderOf({ target }: Lease, name: string): string {
  return target.kind === 'checkpoint' ? target.subscriptionId : name;
}
