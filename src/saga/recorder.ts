/**
 * Records the facts of instances in groups: what becomes ready while one transaction runs is recorded together in the next.
 */
import type { InstanceChange, RecordOutcome, SagaStore } from '../store/store.js';

interface Waiting {
  readonly change: InstanceChange;
  readonly resolve: (outcome: RecordOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** The most changes in one transaction. */
const mostChanges = 200;

export class Recorder {
  readonly #store: Pick<SagaStore, 'record'>;
  #waiting: Waiting[] = [];
  #isRecording = false;

  constructor(store: Pick<SagaStore, 'record'>) {
    this.#store = store;
  }

  /** @throws what the transaction threw: it is unknown whether the facts are recorded */
  record(change: InstanceChange): Promise<RecordOutcome> {
    const recorded = new Promise<RecordOutcome>((resolve, reject) => this.#waiting.push({ change, resolve, reject }));
    if (!this.#isRecording) void this.#recordAll();
    return recorded;
  }

  async #recordAll(): Promise<void> {
    this.#isRecording = true;
    // Lets others that become ready at the same moment join.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#recordGroup(this.#takeGroup());
    this.#isRecording = false;
  }

  async #recordGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#store.record(group.map(({ change }) => change));
      for (const [index, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) reject(new Error('the store answered fewer changes than it was given'));
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** The second change of one instance has to see how the first one ended. */
  #takeGroup(): readonly Waiting[] {
    const streams = new Set<string>();
    const group: Waiting[] = [];
    const rest: Waiting[] = [];
    for (const each of this.#waiting) {
      const { streamId } = each.change;
      const isFree = group.length < mostChanges && !streams.has(streamId);
      streams.add(streamId);
      (isFree ? group : rest).push(each);
    }
    this.#waiting = rest;
    return group;
  }
}
