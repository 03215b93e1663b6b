/**
 * What a program that appends inline does for its projections besides: it registers them, and where no runner does, it
 * takes their checkpoints past what its appends applied, and applies what they had to leave.
 */
import { isEvstoreError } from '../../domain/errors.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import { ownerName } from '../../lease/owner.js';
import { compareCode } from '../../lease/registration.js';
import { assertSameHistory } from '../../lease/same-history.js';
import type { InlineProjection, Lease, Store } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import type { PreparedProjection } from '../define/prepare.js';
import { toInlineProjection } from '../fold/deferred-fold.js';

/** At most this often, and for at most as long: a runner beside it gets the lease in between. In milliseconds. */
const everyMs = 1_000;

export class InlineUpkeep {
  /** For the option `inline` of an append. */
  readonly inline: readonly InlineProjection[];
  readonly #store: Store;
  readonly #projections: readonly PreparedProjection[];
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #isDue = false;
  /** Of the last work, on the clock of the process. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  private constructor(store: Store, projections: readonly PreparedProjection[]) {
    this.#store = store;
    this.#projections = projections;
    this.inline = projections.map(toInlineProjection);
  }

  /**
   * Makes the tables of those that are new. Others than inline ones are left to their runner.
   * @throws E_FOREIGN_TABLE, and E_UNSAFE_STORE when the order of the log cannot be trusted
   */
  static async start(store: Store, projections: readonly PreparedProjection[]): Promise<InlineUpkeep> {
    const inline = projections.filter(({ mode }) => mode === 'inline');
    if (inline.length > 0) await store.schema.assertGuards();
    for (const { name, version, codeHash, model } of inline) {
      await store.projections.register({ name, version, codeHash, model });
    }
    return new InlineUpkeep(store, inline);
  }

  /** To be called after an append: the work is done soon, and never keeps the process alive. */
  appended(): void {
    if (this.#projections.length === 0) return;
    this.#isDue = true;
    this.#schedule();
  }

  /** Does now what is due. Never throws. */
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

  /** What goes wrong here concerns no append: the events wait, and `lag` shows it. */
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
    if (compareCode(record, projection) !== 'current' || checkpoint === undefined) return;
    const { safeHead } = await log.head();
    if (checkpoint.position >= safeHead) return;
    const target = { kind: 'checkpoint', subscriptionId: name } as const;
    const answer = await projections.acquireLease(target, { owner: ownerName(), ttlMs: leaseTtlMs });
    if (answer.held) return;
    const { lease } = answer;
    const heartbeat = new Heartbeat(projections, lease);
    try {
      // Swapped since it was looked at: another time.
      if (lease.generation !== record.generation) return;
      await assertSameHistory(log, checkpoint);
      const deadline = AbortSignal.timeout(everyMs / this.#projections.length);
      await this.#follow(projection, lease, AbortSignal.any([deadline, heartbeat.lost]), safeHead);
      if (checkpoint.lastError !== null) await projections.recordError(name, null);
    } catch (error) {
      if (isEvstoreError(error) && error.code === 'E_HANDLER') {
        await projections.recordError(name, `${error.message}${error.why === undefined ? '' : `: ${error.why}`}`);
      }
      throw error;
    } finally {
      heartbeat.stop();
      await projections.releaseLease(lease);
    }
  }

  async #follow(projection: PreparedProjection, lease: Lease, signal: AbortSignal, to: number): Promise<void> {
    const { position } = lease;
    const catchUp = new CatchUp(this.#store, projection, { lease, physical: String, position, signal });
    for await (const _step of catchUp.steps(to));
    // Whatever else is waiting is more than fits into the time there is.
    if (catchUp.position < to) this.#isDue = true;
  }
}
