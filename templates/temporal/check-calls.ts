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
          const isStep = !activityType.startsWith('undo');
          if (isStep && options.cancellationType !== 'WAIT_CANCELLATION_COMPLETED') {
            throw new TypeError(`a compensation may overtake ${activityType} when it is cancelled`);
          }
          const hasLimit = options.retry?.maximumAttempts !== undefined;
          if (hasLimit !== isStep)
            throw new TypeError(`${activityType} has ${hasLimit ? 'a' : 'no'} limit of attempts`);
          return next(input);
        },
      },
    ],
  };
}
