/** Takes the lease of a subscription, and waits while another process has it. */
import { EvstoreError } from '../domain/errors.js';
import type { ReadModel } from '../domain/read-model.js';
import { askForLease, OwnerWatch } from '../lease/acquire.js';
import { pause } from '../lease/back-off.js';
import { assertSameHistory } from '../lease/same-history.js';
import type { Lease, Store } from '../store/store.js';
import type { Subscription } from './subscription.js';

/** How often a waiting process asks whether the lease is free. */
const askMs = 1_000;

/** It keeps no rows. */
const noTables: ReadModel = { kind: 'sql', tables: [], create: () => [] };

export async function registerSubscription({ projections }: Store, id: string, version: number): Promise<void> {
  await projections.register({ name: id, version, codeHash: '', model: noTables });
}

/** What a lease is taken for. */
export type LeasedSubscription = Pick<
  Subscription,
  'store' | 'id' | 'version' | 'once' | 'owner' | 'signal' | 'tellWaiting' | 'begin'
>;

/**
 * Registers the subscription and takes its lease. With `once` it waits only for a lease whose owner may have died. Returns
 * undefined when the signal aborts first.
 * @throws E_LOCK_HELD with `once`
 * @throws E_DIVERGED when the log is not the one in which the checkpoint was taken
 */
export async function takeSubscriptionLease(subscription: LeasedSubscription): Promise<Lease | undefined> {
  const { store, id, version, once, owner, signal, tellWaiting } = subscription;
  const { projections } = store;
  await registerSubscription(store, id, version);
  const watch = new OwnerWatch();
  let told = '';
  while (!signal.aborted) {
    const answer = await askForLease(projections, { kind: 'checkpoint', subscriptionId: id }, { owner });
    if (!answer.held) {
      const lease = await prepare(answer.lease, subscription);
      if (lease !== undefined) return lease;
      continue;
    }
    const { owner: holder, expiresInMs } = answer;
    if (once && watch.lives(answer)) throw heldBy(id, holder, expiresInMs);
    if (told !== holder) tellWaiting?.(holder);
    told = holder;
    await pause(Math.min(askMs, expiresInMs + 10), signal);
  }
  return undefined;
}

/** Returns undefined when the checkpoint was moved to where the subscription begins, which ends the lease. */
async function prepare(lease: Lease, { store, id, begin }: LeasedSubscription): Promise<Lease | undefined> {
  const { log, projections } = store;
  try {
    const isNew = lease.generation === 0 && lease.position === 0;
    if (isNew && begin !== undefined && begin !== 0) {
      // Moving it by hand also marks it as begun, so that an empty log does not make it begin again.
      await projections.setCheckpoint(id, begin === 'end' ? (await log.head()).safeHead : begin);
      await projections.releaseLease(lease);
      return undefined;
    }
    const all = await projections.checkpoints();
    const checkpoint = all.find(({ subscriptionId }) => subscriptionId === id);
    if (checkpoint !== undefined) await assertSameHistory(log, checkpoint);
    return lease;
  } catch (error) {
    await projections.releaseLease(lease).catch(() => {});
    throw error;
  }
}

function heldBy(id: string, owner: string, expiresInMs: number): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `${owner} is running ${id}`, {
    why: `Its lease ends in ${Math.ceil(expiresInMs / 1000)} s unless it is renewed.`,
    next: 'evstore lag',
    details: { owner, expiresInMs },
  });
}
