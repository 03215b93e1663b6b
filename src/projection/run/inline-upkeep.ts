/**
 * Looks after the inline projections of a program that appends: registers them, and while no runner does it, moves their
 * checkpoints past the events that appends applied and applies those that appends left.
 */
import { mayWrite } from '../../domain/code-identity.js';
import { recordFailure } from '../../lease/checkpoints.js';
import { ownerName } from '../../lease/owner.js';
import { assertSameHistory } from '../../lease/same-history.js';
import { withLease } from '../../lease/with-lease.js';
import type { InlineProjection, Lease, Store } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import type { PreparedProjection } from '../define/prepare.js';
import { toInlineProjection } from '../fold/deferred-fold.js';

/** Describes a projection that an append left to its runner. */
export function describeLeft(projection: string): string {
  return `appends of this program leave the rows of ${projection} to its runner: code of another version or definition made them, or it runs in parts; rebuild them with this code: evstore rebuild ${projection}`;
}

/** It works at most this often and for at most this long, so that a runner gets the lease in between. In milliseconds. */
const everyMs = 1_000;

export class InlineUpkeep {
  /** For the option `inline` of an append. */
  readonly inline: readonly InlineProjection[];
  readonly #store: Store;
  readonly #projections: readonly PreparedProjection[];
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #isDue = false;
  /** When it last worked, on the clock of the process. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  private constructor(store: Store, projections: readonly PreparedProjection[]) {
    this.#store = store;
    this.#projections = projections;
    this.inline = projections.map(toInlineProjection);
  }

  /**
   * Registers the inline projections, and creates the tables of new ones. The others are left to their runner.
   * @throws E_FOREIGN_TABLE
   * @throws E_UNSAFE_STORE when the order of the log cannot be trusted
   */
  static async start(store: Store, projections: readonly PreparedProjection[]): Promise<InlineUpkeep> {
    const inline = projections.filter(({ mode }) => mode === 'inline');
    if (inline.length > 0) await store.schema.assertGuards();
    for (const { name, version, codeHash, model } of inline) {
      await store.projections.register({ name, version, codeHash, model });
    }
    return new InlineUpkeep(store, inline);
  }

  /** Call it after an append. The work is done soon, and does not keep the process alive. */
  appended(): void {
    if (this.#projections.length === 0) return;
    this.#isDue = true;
    this.#schedule();
  }

  /** Does the work that is due. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#working;
    if (this.#isDue) await this.#work();
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#working !== undefined) return;
    const restMs = Math.max(0, this.#endedAt + everyMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#working = this.#work().finally(() => {
        this.#working = undefined;
        if (this.#isDue) this.#schedule();
      });
    }, restMs);
    this.#timer.unref();
  }

  /** An error here is not about an append: the events wait for a runner, and `lag` shows that they do. */
  async #work(): Promise<void> {
    this.#isDue = false;
    for (const projection of this.#projections) await this.#catchUp(projection).catch(() => {});
    this.#endedAt = performance.now();
  }

  async #catchUp(projection: PreparedProjection): Promise<void> {
    const { projections, log } = this.#store;
    const { name, version, codeHash, model } = projection;
    const record = await projections.register({ name, version, codeHash, model });
    const checkpoint = (await projections.checkpoints()).find(({ subscriptionId }) => subscriptionId === name);
    if (!mayWrite(record, projection)) {
      // `lag` and `doctor` then say that a rebuild is due.
      if (version >= record.version) await projections.recordCode(name, { version, codeHash });
      return;
    }
    if (checkpoint === undefined) return;
    const { safeHead } = await log.head();
    if (checkpoint.position >= safeHead) return;
    const target = { kind: 'checkpoint', subscriptionId: name } as const;
    const options = { owner: ownerName(), signal: AbortSignal.timeout(everyMs / this.#projections.length) };
    await withLease(projections, target, options, async (lease, signal) => {
      // Tables were swapped in since the projection was looked up: leave it until the next time.
      if (lease.generation !== record.generation) return;
      try {
        await assertSameHistory(log, checkpoint);
        await this.#follow(projection, lease, signal, safeHead);
        if (checkpoint.lastError !== null) await projections.recordError(name, null);
      } catch (error) {
        await recordFailure(this.#store, name, error);
        throw error;
      }
    });
  }

  async #follow(projection: PreparedProjection, lease: Lease, signal: AbortSignal, to: number): Promise<void> {
    const { position } = lease;
    const catchUp = new CatchUp(this.#store, projection, { lease, physical: String, position, signal });
    for await (const _step of catchUp.steps(to));
    // There was no time for the rest.
    if (catchUp.position < to) this.#isDue = true;
  }
}
