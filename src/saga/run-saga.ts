/**
 * Finds the triggers of one saga, starts an instance for each and drives it. The checkpoint passes a trigger when its
 * instance has ended, so after a crash the unfinished ones, and only those and what came after, are met again.
 */
import type { ErrorCode } from '../domain/errors.js';
import { BackOff } from '../lease/back-off.js';
import type { Saga } from './definition.js';
import type { SagaReport, SagaRun } from './run-sagas.js';
import { noEnds, SagaRunner, toEvstoreError } from './runner.js';
import { SagaSubscription } from './subscription.js';

/**
 * Never throws: what stopped it is in the report. While it follows the log, a lost connection or lease is no reason to
 * stop: it begins again at its checkpoint.
 */
export async function runSaga(saga: Saga, run: SagaRun): Promise<SagaReport> {
  const backOff = new BackOff(100, 5_000);
  let total: SagaReport = { saga: saga.name, position: 0, ended: noEnds, left: 0, error: null };
  for (;;) {
    const report = await runSpell(saga, run, () => backOff.reset());
    total = { ...report, ended: addEnds(total.ended, report.ended) };
    const { error } = report;
    if (error === null || run.once || run.signal.aborted || !passing.has(error.code)) {
      if (error !== null) run.report?.({ kind: 'failed', saga: saga.name, error });
      return total;
    }
    run.report?.({ kind: 'interrupted', saga: saga.name, error });
    await backOff.wait(run.signal);
  }
}

/** Failures that another try may outlive. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_CONNECT',
  'E_TIMEOUT',
  'E_OUTCOME_UNKNOWN',
  'E_SUPERSEDED',
]);

/** From taking the lease to giving it back. */
async function runSpell(saga: Saga, run: SagaRun, onContact: () => void): Promise<SagaReport> {
  const report: SagaReport = { saga: saga.name, position: 0, ended: noEnds, left: 0, error: null };
  try {
    const subscription = await SagaSubscription.open(saga, run);
    if (subscription === undefined) return report;
    onContact();
    return await new SagaRunner(saga, run, subscription).run();
  } catch (error) {
    return { ...report, error: toEvstoreError(saga.name, error) };
  }
}

function addEnds(a: SagaReport['ended'], b: SagaReport['ended']): SagaReport['ended'] {
  return {
    completed: a.completed + b.completed,
    compensated: a.compensated + b.compensated,
    failed: a.failed + b.failed,
    'compensation-failed': a['compensation-failed'] + b['compensation-failed'],
  };
}
