/**
 * Replays the workflow against histories made by hand: no server and no network. A replay compares the order and the types
 * of activities, and how the workflow ends. It does not compare what is passed to them, nor their options:
 * `check-calls.ts` does. An activity that is scheduled earlier than the history says passes, too.
 */
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
// The class must be that of this package: others bring a protobufjs of their own, whose objects the worker refuses.
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import type { Activities } from './activities.js';
import { taskQueue, workflowIdOf } from './saga.js';
import { sample } from './sample.js';

type Activity = keyof Activities;
type Attributes = Readonly<Record<string, unknown>>;

// Histories that are refused on purpose would fill the screen with warnings.
const logger = new DefaultLogger('ERROR');
const filter = makeTelemetryFilterString({ core: 'ERROR' });
Runtime.install({ logger, telemetryOptions: { logging: { filter } } });

const pathTo = (file: string) => fileURLToPath(new URL(file, import.meta.url));
/** Fails if the workflow imports what a workflow must not use, such as `node:crypto`. */
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: pathTo('./workflow.ts'),
  workflowInterceptorModules: [pathTo('./check-calls.ts')],
  logger,
});

/**
 * Without these flags, which a worker of today records, a replay does not compare ids and types of activities, and a
 * wrong history passes.
 */
const sdkMetadata = { coreUsedFlags: [1, 2, 3], langUsedFlags: [1, 2] };

/** @throws DeterminismViolationError when the workflow does not do what the history says */
export async function replay(history: HistoryBuilder): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle }, history.build(), workflowIdOf(sample.streamId));
}

/** The events that Temporal would record, one activity after the other. `ends` must come last. */
export class HistoryBuilder {
  readonly #events: Attributes[] = [];
  #lastTask = 0;
  #activities = 0;

  constructor() {
    this.#add('WORKFLOW_EXECUTION_STARTED', 'workflowExecutionStarted', {
      workflowType: { name: 'orderFulfilment' },
      taskQueue: { name: taskQueue },
      input: { payloads: [defaultPayloadConverter.toPayload(sample)] },
      originalExecutionRunId: 'run',
      firstExecutionRunId: 'run',
      attempt: 1,
      workflowTaskTimeout: { seconds: 10 },
    });
    this.#task();
  }

  done(activity: Activity): this {
    this.#finish('COMPLETED', 'Completed', this.#begin(activity));
    return this;
  }

  /** After the last attempt. */
  fails(activity: Activity): this {
    const failure = { message: 'failed', applicationFailureInfo: { type: 'Http503' } };
    this.#finish('FAILED', 'Failed', { ...this.#begin(activity), failure });
    return this;
  }

  /** The workflow is cancelled while the step runs: it passes this on, and waits until the step has stopped. */
  cancelledDuring(activity: Activity): this {
    const begun = this.#begin(activity);
    this.#add('WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'workflowExecutionCancelRequested', {});
    this.#task();
    const { scheduledEventId } = begun;
    const latestCancelRequestedEventId = this.#add('ACTIVITY_TASK_CANCEL_REQUESTED', 'activityTaskCancelRequested', {
      scheduledEventId,
      workflowTaskCompletedEventId: this.#lastTask,
    });
    this.#finish('CANCELED', 'Canceled', { ...begun, latestCancelRequestedEventId });
    return this;
  }

  /** The workflow is cancelled while the compensation runs, which does not stop it. */
  doneAlthoughCancelled(activity: Activity): this {
    const begun = this.#begin(activity);
    this.#add('WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'workflowExecutionCancelRequested', {});
    this.#task();
    this.#finish('COMPLETED', 'Completed', begun);
    return this;
  }

  ends(outcome: 'Completed' | 'Failed' | 'Canceled'): this {
    this.#add(`WORKFLOW_EXECUTION_${outcome.toUpperCase()}`, `workflowExecution${outcome}`, {
      workflowTaskCompletedEventId: this.#lastTask,
    });
    return this;
  }

  build(): proto.temporal.api.history.v1.IHistory {
    return proto.temporal.api.history.v1.History.fromObject({ events: this.#events });
  }

  #begin(activity: Activity) {
    this.#activities += 1;
    const scheduledEventId = this.#add('ACTIVITY_TASK_SCHEDULED', 'activityTaskScheduled', {
      activityId: String(this.#activities),
      activityType: { name: activity },
      workflowTaskCompletedEventId: this.#lastTask,
    });
    const startedEventId = this.#add('ACTIVITY_TASK_STARTED', 'activityTaskStarted', { scheduledEventId });
    return { scheduledEventId, startedEventId };
  }

  #finish(type: string, name: string, attributes: Attributes): void {
    this.#add(`ACTIVITY_TASK_${type}`, `activityTask${name}`, attributes);
    this.#task();
  }

  /** The worker is told what happened, and decides. */
  #task(): void {
    const scheduledEventId = this.#add('WORKFLOW_TASK_SCHEDULED', 'workflowTaskScheduled', {});
    const startedEventId = this.#add('WORKFLOW_TASK_STARTED', 'workflowTaskStarted', { scheduledEventId });
    const attributes = { scheduledEventId, startedEventId, sdkMetadata };
    this.#lastTask = this.#add('WORKFLOW_TASK_COMPLETED', 'workflowTaskCompleted', attributes);
  }

  #add(type: string, name: string, attributes: Attributes): number {
    const eventId = this.#events.length + 1;
    const eventTime = { seconds: 1_767_225_600 + eventId, nanos: 0 };
    this.#events.push({
      eventId,
      eventTime,
      eventType: `EVENT_TYPE_${type}`,
      [`${name}EventAttributes`]: attributes,
    });
    return eventId;
  }
}
