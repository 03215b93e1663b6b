/**
 * Runs sagas: what `evstore run` calls. The checkpoint of a saga passes a trigger when its instance has ended, so after
 * a crash exactly the unfinished triggers, and those that came later, are read again.
 */
import { EvstoreError, isEvstoreError, isTransient } from '../domain/errors.js';
import { BackOff } from '../lease/back-off.js';
import { keepLease } from '../lease/with-lease.js';
import { SagaCheckpoint, takeSagaLease } from './checkpoint.js';
import type { Saga } from './definition.js';
import { noEnds, type SagaReport, type SagaRun } from './report.js';
import { SagaRunner } from './runner.js';
import { triggerTypes } from './validate.js';

/**
 * Runs all sagas side by side. Does not throw when one saga fails: its report has the `error`, which is E_LOCK_HELD when
 * another process runs the saga and `once` is set, E_HANDLER when its `id` function throws, E_SUPERSEDED when its lease
 * was lost.
 */
export async function runSagas(run: SagaRun): Promise<readonly SagaReport[]> {
  await run.store.schema.assertGuards();
  return Promise.all(run.sagas.map((saga) => runSaga(saga, run)));
}

/** While it follows the log, a lost connection or lease does not stop it: it starts again at its checkpoint. */
async function runSaga(saga: Saga, run: SagaRun): Promise<SagaReport> {
  const backOff = new BackOff(100, 5_000);
  let ended = noEnds;
  for (;;) {
    const spell = await runUnderLease(saga, run, () => backOff.reset());
    ended = addEnds(ended, spell.ended);
    const { error } = spell;
    if (error === null) return { ...spell, ended };
    const canResume = error.code === 'E_SUPERSEDED' || isTransient(error);
    const isOver = run.once || run.signal.aborted || !canResume;
    run.report?.({ kind: isOver ? 'failed' : 'interrupted', saga: saga.name, error });
    if (isOver) return { ...spell, ended };
    await backOff.wait(run.signal);
  }
}

/** From taking the lease to releasing it. Never throws. */
async function runUnderLease(saga: Saga, run: SagaRun, onContact: () => void): Promise<SagaReport> {
  const { projections } = run.store;
  const nothing: SagaReport = { saga: saga.name, position: 0, ended: noEnds, left: 0, error: null };
  try {
    const lease = await takeSagaLease(saga, run);
    if (lease === undefined) return nothing;
    onContact();
    return await keepLease(projections, lease, run, async (signal) => {
      const filter = saga.since === undefined ? { types: triggerTypes(saga) } : undefined;
      const runner = new SagaRunner(saga, { ...run, signal }, new SagaCheckpoint(projections, lease, filter));
      const { failure, ...report } = await runner.run();
      const error = isEvstoreError(signal.reason) ? signal.reason : failure;
      return { ...report, error: error === undefined ? null : toEvstoreError(saga.name, error) };
    });
  } catch (error) {
    return { ...nothing, error: toEvstoreError(saga.name, error) };
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

function toEvstoreError(saga: string, error: unknown): EvstoreError {
  if (isEvstoreError(error)) return error;
  return new EvstoreError('E_BUG', `saga ${saga} stopped: ${String(error)}`, { cause: error });
}
