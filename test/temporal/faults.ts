/** Faults that are planted in generated Temporal projects, each with what its generated tests say to it. */

export interface Fault {
  /** Also the name of the folder, with - for spaces. */
  readonly name: string;
  readonly file: string;
  readonly change: readonly (readonly [from: string | RegExp, to: string])[];
  /** The file of tests that finds it. */
  readonly tests: 'workflow.test.ts' | 'activities.test.ts' | 'start-sagas.test.ts';
  /** Part of the name of a test that fails; null if none does. `file` when the file cannot even begin. */
  readonly foundBy: string | null;
  /** Part of the message, where the name of the test does not tell enough. */
  readonly message?: string;
}

export const faults: readonly Fault[] = [
  {
    name: 'a compensation that is registered after its step',
    file: 'workflow.ts',
    change: [[/( +undo\.push\(.*\);\n)( +await steps\..*;\n)/g, '$2$1']],
    tests: 'workflow.test.ts',
    foundBy: 'if checkPlans fails, it and the steps before it are undone',
  },
  {
    name: 'compensations in the order of the steps',
    file: 'workflow.ts',
    change: [['undo.reverse()', 'undo']],
    tests: 'workflow.test.ts',
    foundBy: 'if collectFee fails, it and the steps before it are undone, last first',
  },
  {
    name: 'compensations that a cancellation cancels',
    file: 'workflow.ts',
    change: [['CancellationScope.nonCancellable', 'CancellationScope.cancellable']],
    tests: 'workflow.test.ts',
    foundBy: 'a workflow that is cancelled during undoCheckPlans continues to undo',
  },
  {
    name: 'a compensation that overtakes its cancelled step',
    file: 'saga.ts',
    change: [["'WAIT_CANCELLATION_COMPLETED'", "'TRY_CANCEL'"]],
    tests: 'workflow.test.ts',
    foundBy: 'the steps run in order',
  },
  {
    name: 'a failure that is hidden',
    file: 'workflow.ts',
    change: [['    throw error;\n', '']],
    tests: 'workflow.test.ts',
    foundBy: 'if checkPlans fails, it and the steps before it are undone',
  },
  {
    name: 'steps at the same time',
    file: 'workflow.ts',
    change: [['await steps.checkPlans', 'void steps.checkPlans']],
    tests: 'workflow.test.ts',
    foundBy: 'if checkPlans fails, it and the steps before it are undone',
  },
  {
    name: 'an import that is not deterministic',
    file: 'workflow.ts',
    change: [
      [/^import type/m, "import { randomUUID } from 'node:crypto';\nimport type"],
      [
        '(trigger: Trigger): Promise<void> {\n',
        '(trigger: Trigger): Promise<void> {\n  if (randomUUID() === "") return;\n',
      ],
    ],
    tests: 'workflow.test.ts',
    foundBy: 'file',
    message: 'Webpack finished with errors',
  },
  {
    name: 'the clock and chance, which the sandbox replaces',
    file: 'workflow.ts',
    change: [
      [
        '(trigger: Trigger): Promise<void> {\n',
        '(trigger: Trigger): Promise<void> {\n  if (Date.now() > Date.UTC(2026, 0, 2) || Math.random() > 1) throw new Error("the clock of the system");\n',
      ],
    ],
    tests: 'workflow.test.ts',
    foundBy: null,
  },
  {
    name: 'another input than the trigger',
    file: 'workflow.ts',
    change: [['steps.collectFee(trigger)', "steps.collectFee({ ...trigger, streamId: '' })"]],
    tests: 'workflow.test.ts',
    foundBy: 'the steps run in order',
  },
  {
    name: 'activities without a heartbeat timeout',
    file: 'saga.ts',
    change: [['  heartbeatTimeout: heartbeatTimeoutMs,\n', '']],
    tests: 'workflow.test.ts',
    foundBy: 'the steps run in order',
  },
  {
    name: 'a compensation that is given up',
    file: 'saga.ts',
    change: [["maximumInterval: '10 minutes'", "maximumInterval: '10 minutes', maximumAttempts: 3"]],
    tests: 'workflow.test.ts',
    foundBy: 'if checkPlans fails, it and the steps before it are undone',
  },
  {
    name: 'histories without the flags of a worker of today',
    file: 'replay.ts',
    change: [['{ coreUsedFlags: [1, 2, 3], langUsedFlags: [1, 2] }', '{}']],
    tests: 'workflow.test.ts',
    foundBy: 'a history in which undoCheckPlans runs instead of checkPlans is refused',
  },
  {
    name: 'a wrong history',
    file: 'workflow.test.ts',
    change: [["begin(steps.length).ends('Completed')", "begin(steps.length - 1).ends('Completed')"]],
    tests: 'workflow.test.ts',
    foundBy: 'the steps run in order',
  },
  {
    name: 'a history that is no object of the proto package',
    file: 'replay.ts',
    change: [[/return proto\..*;/, 'return { events: this.#events };']],
    tests: 'workflow.test.ts',
    foundBy: 'the steps run in order',
  },
  {
    name: 'no heartbeat',
    file: 'activities.ts',
    change: [['context.heartbeat()', 'undefined']],
    tests: 'activities.test.ts',
    foundBy: 'heartbeats are sent while the service works',
  },
  {
    name: 'heartbeats that never end',
    file: 'activities.ts',
    change: [['clearInterval(beat);', '']],
    tests: 'activities.test.ts',
    foundBy: 'heartbeats are sent while the service works, and not after that',
  },
  {
    name: 'a cancellation that is not passed on',
    file: 'activities.ts',
    change: [[/\n +signal: context\.cancellationSignal,/, '']],
    tests: 'activities.test.ts',
    foundBy: 'a cancelled step stops waiting for the service',
  },
  {
    name: 'a final error that is retried',
    file: 'activities.ts',
    change: [['nonRetryable: isFinal(response)', 'nonRetryable: false']],
    tests: 'activities.test.ts',
    foundBy: 'a refusal of checkPlans is final',
  },
  {
    name: 'a passing error that is final',
    file: 'activities.ts',
    change: [['nonRetryable: isFinal(response)', 'nonRetryable: true']],
    tests: 'activities.test.ts',
    foundBy: 'a refusal of checkPlans is final, and a failure is retried',
  },
  {
    name: 'a compensation that a refusal ends',
    file: 'activities.ts',
    change: [['() => false', '(failure) => !isWorthRetrying(failure.status)']],
    tests: 'activities.test.ts',
    foundBy: 'undoCheckPlans is retried whatever the answer is',
  },
  {
    name: 'no idempotency key',
    file: 'activities.ts',
    change: [[", 'idempotency-key': idempotencyKey(path)", '']],
    tests: 'activities.test.ts',
    foundBy: 'checkPlans sends the trigger, and the same idempotency key in every attempt',
  },
  {
    name: 'an idempotency key for each attempt',
    file: 'activities.ts',
    change: [['return encodeURIComponent(', 'return Math.random() + encodeURIComponent(']],
    tests: 'activities.test.ts',
    foundBy: 'checkPlans sends the trigger, and the same idempotency key in every attempt',
  },
  {
    name: 'an idempotency key that all sagas share',
    file: 'activities.ts',
    change: [[/`.*workflowId.*`/, 'step']],
    tests: 'activities.test.ts',
    foundBy: 'each saga has keys of its own',
  },
  {
    name: 'an idempotency key that all steps share',
    file: 'activities.ts',
    change: [[/`.*workflowId.*`/, 'workflowExecution.workflowId']],
    tests: 'activities.test.ts',
    foundBy: 'undoCheckPlans has a key of its own',
  },
  {
    name: 'a compensation that does not say what it undoes',
    file: 'activities.ts',
    change: [[', undoes: idempotencyKey(step)', '']],
    tests: 'activities.test.ts',
    foundBy: 'undoCheckPlans has a key of its own, and names the key of what it undoes',
  },
  {
    name: 'a saga that may start again when it has ended',
    file: 'start-sagas.ts',
    change: [['REJECT_DUPLICATE', 'ALLOW_DUPLICATE']],
    tests: 'start-sagas.test.ts',
    foundBy: 'each stream starts one workflow',
  },
  {
    name: 'a workflow for each event',
    file: 'start-sagas.ts',
    change: [['workflowIdOf(event.streamId)', 'workflowIdOf(event.id)']],
    tests: 'start-sagas.test.ts',
    foundBy: 'a second run starts nothing twice',
  },
  {
    name: 'a starter that a duplicate stops',
    file: 'start-sagas.ts',
    change: [[/if \(error instanceof WorkflowExecutionAlreadyStartedError\).*/, '']],
    tests: 'start-sagas.test.ts',
    foundBy: 'a second run starts nothing twice',
  },
  {
    name: 'a starter that takes every error for a duplicate',
    file: 'start-sagas.ts',
    change: [['    throw error;\n', '    return false;\n']],
    tests: 'start-sagas.test.ts',
    foundBy: 'an error of Temporal stops the starter',
  },
];
