/** Starts a workflow for each event that starts a saga, in the order of the log. */
import { WorkflowExecutionAlreadyStartedError, type WorkflowStartOptions } from '@temporalio/client';
import type { Event, EventStore } from 'evstore';
import { type Trigger, taskQueue, workflowIdOf } from './saga.js';
import type { orderFulfilment } from './workflow.js';

/** What is used of `client.workflow`. */
export interface SagaClient {
  readonly start: (workflowType: string, options: WorkflowStartOptions<typeof orderFulfilment>) => Promise<unknown>;
}

export interface StartOptions {
  /** Global position; events after it are handled. */
  readonly after: number;
  /** Ends the subscription. */
  readonly signal: AbortSignal;
  /** Called after each event: `position` is the one to start after next time. */
  readonly report: (handled: {
    readonly workflowId: string;
    readonly isNew: boolean;
    readonly position: number;
  }) => void;
}

/** Stops with the first error; events up to the last reported position need not be read again. */
export async function startSagas(
  store: EventStore,
  client: SagaClient,
  { after, signal, report }: StartOptions,
): Promise<void> {
  for await (const event of store.subscribe({ types: ['OrderPlaced'], after, signal })) {
    const workflowId = workflowIdOf(event.streamId);
    const isNew = await startOnce(client, workflowId, toTrigger(event));
    report({ workflowId, isNew, position: event.globalPosition });
  }
}

/**
 * Returns false if a workflow of this id was started before, whether it is running or has ended. Temporal forgets ended
 * workflows when the retention of the namespace is over.
 */
async function startOnce(client: SagaClient, workflowId: string, trigger: Trigger): Promise<boolean> {
  try {
    await client.start('orderFulfilment', {
      workflowId,
      taskQueue,
      args: [trigger],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

function toTrigger({ id, streamId, type, globalPosition, data }: Event): Trigger {
  const digits = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  return { eventId: id, streamId, type, globalPosition, data: JSON.parse(JSON.stringify(data, digits)) };
}
