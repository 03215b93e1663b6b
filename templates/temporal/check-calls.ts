/**
 * Runs inside the workflow while it is replayed, and checks what a replay does not compare: what the workflow passes to
 * activities, and their options. An error here fails the replay.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';

export function interceptors(): WorkflowInterceptors {
  let trigger = '';
  return {
    inbound: [
      {
        execute(input, next) {
          trigger = JSON.stringify(input.args);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity(input, next) {
          const { activityType, args, options } = input;
          if (JSON.stringify(args) !== trigger) throw new TypeError(`${activityType} does not get the trigger`);
          if (options.heartbeatTimeout === undefined) throw new TypeError(`${activityType} has no heartbeat timeout`);
          if (options.startToCloseTimeout === undefined) throw new TypeError(`${activityType} has no time limit`);
          const isEndless = options.retry?.maximumAttempts === undefined;
          if (isEndless !== activityType.startsWith('undo')) {
            throw new TypeError(
              `${activityType} is ${isEndless ? 'retried for ever' : 'given up after some attempts'}`,
            );
          }
          return next(input);
        },
      },
    ],
  };
}
