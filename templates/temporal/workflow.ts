/**
 * Order fulfilment: steps in order, each with its compensation. If a step fails or the workflow is cancelled, the steps
 * begun so far are undone, last first, and the workflow ends as failed or cancelled.
 *
 * Temporal runs this code again from its history, for example after a restart, so each run must take the same way. Import
 * only `@temporalio/workflow` and `./saga.js`, and do everything else in activities. While workflows are running, change
 * the order of their activities only behind `patched()`.
 */
import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { Activities } from './activities.js';
import { compensationOptions, stepOptions, type Trigger } from './saga.js';

const steps = proxyActivities<Activities>(stepOptions);
const compensations = proxyActivities<Activities>(compensationOptions);

export async function orderFulfilment(trigger: Trigger): Promise<void> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    // A compensation is registered before its step begins: a step that fails or times out may have had its effect.
    undo.push(() => compensations.undoReserveStock(trigger));
    await steps.reserveStock(trigger);
    undo.push(() => compensations.undoChargeCustomer(trigger));
    await steps.chargeCustomer(trigger);
    undo.push(() => compensations.undoBookShipment(trigger));
    await steps.bookShipment(trigger);
  } catch (error) {
    // Without this scope, a cancelled workflow would cancel its compensations too.
    await CancellationScope.nonCancellable(async () => {
      for (const compensate of undo.reverse()) await compensate();
    });
    throw error;
  }
}
