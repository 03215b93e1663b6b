/** What a process holds of one saga: it claims instances, keeps them by a heartbeat, and releases them. */
import { stateOf } from '../store/process.js';
import type { Claim, Holder, InstanceKey, SagaCode, SagaStore } from '../store/store.js';

export class Holdings {
  readonly holder: Holder;
  readonly #instances: SagaStore;
  readonly #definitions: readonly SagaCode[];

  /** @param definitions the code that the process has */
  constructor(instances: SagaStore, holder: Holder, definitions: readonly SagaCode[]) {
    this.#instances = instances;
    this.holder = holder;
    this.#definitions = definitions;
  }

  claim(limit: number): Promise<Claim> {
    return this.#instances.claim({ ...this.holder, limit, definitions: this.#definitions });
  }

  async holds(key: InstanceKey): Promise<boolean> {
    return (await this.#renew([key])).length > 0;
  }

  /** Renews them, and returns those that it holds no longer. */
  async findLost<Key extends InstanceKey>(keys: readonly Key[]): Promise<readonly Key[]> {
    if (keys.length === 0) return [];
    const kept = new Set((await this.#renew(keys)).map(({ instance }) => instance));
    return keys.filter(({ instance }) => !kept.has(instance));
  }

  /** Releases one instance, or all. */
  release(key?: InstanceKey): Promise<void> {
    return this.#instances.release(this.holder.owner, key && [key]);
  }

  /** Processes of this host that have ended hold nothing. Returns true when there were some. */
  async releaseEnded(): Promise<boolean> {
    const owners = await this.#instances.owners();
    const ended = owners.filter(({ process }) => stateOf(process) === 'ended');
    for (const { owner } of ended) await this.#instances.release(owner);
    return ended.length > 0;
  }

  /** Beats often enough to keep what it holds, until the function that it returns is called. */
  keep(beat: () => Promise<void>): () => void {
    const timer = setInterval(() => void beat().catch(() => {}), this.holder.ttlMs / 3).unref();
    return () => clearInterval(timer);
  }

  #renew(keys: readonly InstanceKey[]): Promise<readonly InstanceKey[]> {
    return this.#instances.renew(this.holder.owner, keys, this.holder.ttlMs);
  }
}
