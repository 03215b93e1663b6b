/**
 * The steps of order fulfilment and their compensations: each is a POST to a service, at `/STEP` and `/undo-STEP`. Replace
 * `post` if your services are called in another way, and keep its rules:
 *
 * - Each request carries an idempotency key, the same in every attempt. Temporal runs an activity at least once.
 * - It sends heartbeats while it waits.
 * - An answer that another attempt cannot change is not retryable. Every other error is retried.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { heartbeatTimeoutMs, type Trigger } from './saga.js';

export interface ActivitySettings {
  /** The service that does the steps: `https://services.example`. */
  readonly serviceUrl: string;
  /** In milliseconds. By default three heartbeats fit into the timeout, so that one may be late. */
  readonly heartbeatEveryMs?: number;
}

export type Activities = ReturnType<typeof createActivities>;

export function createActivities({ serviceUrl, heartbeatEveryMs = heartbeatTimeoutMs / 3 }: ActivitySettings) {
  const act = (step: string, trigger: Trigger): Promise<unknown> =>
    post(step, { trigger }, (failure) => !isWorthRetrying(failure.status));

  /** Undoes what the step did, if it did anything. The service finds it by the key of the step. Never gives up. */
  const undo = (step: string, trigger: Trigger): Promise<unknown> =>
    post(`undo-${step}`, { trigger, undoes: idempotencyKey(step) }, () => false);

  async function post(path: string, body: unknown, isFinal: (response: Response) => boolean): Promise<unknown> {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), heartbeatEveryMs);
    try {
      const response = await fetch(`${serviceUrl}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey(path) },
        body: JSON.stringify(body),
        signal: context.cancellationSignal,
      });
      const answer = await response.text();
      if (response.ok) return answer === '' ? null : JSON.parse(answer);
      throw ApplicationFailure.create({
        message: `${path}: ${response.status} ${answer.slice(0, 500)}`,
        type: `Http${response.status}`,
        nonRetryable: isFinal(response),
      });
    } finally {
      clearInterval(beat);
    }
  }

  return {
    reserveStock: (trigger: Trigger) => act('reserve-stock', trigger),
    undoReserveStock: (trigger: Trigger) => undo('reserve-stock', trigger),
    chargeCustomer: (trigger: Trigger) => act('charge-customer', trigger),
    undoChargeCustomer: (trigger: Trigger) => undo('charge-customer', trigger),
    bookShipment: (trigger: Trigger) => act('book-shipment', trigger),
    undoBookShipment: (trigger: Trigger) => undo('book-shipment', trigger),
  };
}

/** Differs for each saga and step, and is the same in each attempt. Encoded, because a header has no other letters. */
function idempotencyKey(step: string): string {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw new Error('this activity must be run by a workflow');
  return encodeURIComponent(`${workflowExecution.workflowId}/${step}`);
}

/** The service is busy or broken, or (409) still works on an earlier attempt. Other 4xx are its decision. */
function isWorthRetrying(status: number): boolean {
  return status >= 500 || [408, 409, 425, 429].includes(status);
}
