/**
 * What the workflow, the activities and the starter share. The workflow imports this file, so it contains constants and
 * pure functions only.
 */
import type { ActivityOptions } from '@temporalio/common';

/** The event that started the saga. */
export interface Trigger {
  readonly eventId: string;
  readonly streamId: string;
  readonly type: string;
  readonly globalPosition: number;
  /** The data of the event. A whole number beyond 2^53-1 is its digits as text, because Temporal sends JSON. */
  readonly data: unknown;
}

/** The worker takes its work from this queue. */
export const taskQueue = 'order_fulfilment';

/** Names the saga of a stream. Temporal starts a workflow of one id once, so a second event of the stream starts none. */
export function workflowIdOf(streamId: string): string {
  return `order_fulfilment/${streamId}`;
}

/** A worker that is silent for this long is taken for dead, and the step is tried again. */
export const heartbeatTimeoutMs = 30_000;

/**
 * A cancelled step is waited for, so that its compensation never overtakes it. Only an activity that sends heartbeats
 * learns that it is cancelled.
 */
export const stepOptions: ActivityOptions = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: heartbeatTimeoutMs,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 10 },
};

/** A compensation is tried until it works: Temporal shows it as a pending activity, and earlier ones wait for it. */
export const compensationOptions: ActivityOptions = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: heartbeatTimeoutMs,
  retry: { initialInterval: '1 second', maximumInterval: '10 minutes' },
};
