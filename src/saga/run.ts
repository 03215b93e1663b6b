/**
 * Runs sagas: what `evstore run` calls. Every process that runs a saga drives instances that are due; the one that has the
 * lease also reads the log for it.
 */
import { EvstoreError, isEvstoreError, isTransient } from '../domain/errors.js';
import { activePhases } from '../domain/saga-phase.js';
import { BackOff } from '../lease/back-off.js';
import { recordFailure } from '../lease/checkpoints.js';
import { leaseTtlMs } from '../lease/heartbeat.js';
import { keepLease } from '../lease/with-lease.js';
import { thisProcess } from '../store/process.js';
import { takeSubscriptionLease } from '../subscription/take-lease.js';
import { registerSaga, SagaCheckpoint } from './checkpoint.js';
import type { SagaDefinition } from './definition.js';
import { sagaCategory } from './events.js';
import { codeOf } from './identity.js';
import { newestOf, rangeOf, SagaReader } from './reader.js';
import { defaultGraceMs, noEnds, type SagaReport, type SagaRun } from './report.js';
import { SagaWorker } from './worker.js';

/** How long one wait for new events lasts before the log is read again. */
const waitMs = 5_000;
/** With `once`: instances that are due within this time are waited for, so that short back-offs end. */
const onceWithinMs = 5_000;

/**
 * Runs all sagas side by side. Does not throw when one saga fails: its report has the `error`, which is E_LOCK_HELD when
 * another process reads the log for the saga and `once` is set, E_HANDLER when the user's code cannot take an event, and
 * E_CONFIG when its steps are not those of running instances of the same version.
 */
export async function runSagas(run: SagaRun): Promise<readonly SagaReport[]> {
  await run.store.schema.assertGuards();
  const names = [...new Set(run.sagas.map(({ name }) => name))];
  return Promise.all(names.map((name) => runSaga(name, run)));
}

/** While it follows the log, a lost connection or lease does not stop it: it starts again at its checkpoint. */
async function runSaga(name: string, run: SagaRun): Promise<SagaReport> {
  const sagas = run.sagas.filter((saga) => saga.name === name);
  const backOff = new BackOff(100, 5_000);
  let ended = noEnds;
  for (;;) {
    const spell = await new Spell(name, sagas, run, () => backOff.reset()).run();
    ended = addEnds(ended, spell.ended);
    const { error } = spell;
    if (error === null) return { ...spell, ended };
    const canResume = error.code === 'E_SUPERSEDED' || isTransient(error);
    const isOver = run.once || run.signal.aborted || !canResume;
    run.report?.({ kind: isOver ? 'failed' : 'interrupted', saga: name, error });
    if (isOver) return { ...spell, ended };
    await backOff.wait(run.signal);
  }
}

/** From the first contact with the store until something fails. */
class Spell {
  readonly #name: string;
  readonly #sagas: readonly SagaDefinition[];
  readonly #run: SagaRun;
  readonly #onContact: () => void;
  readonly #stop = new AbortController();
  #position = 0;
  #missing = 0;

  constructor(name: string, sagas: readonly SagaDefinition[], run: SagaRun, onContact: () => void) {
    this.#name = name;
    this.#sagas = sagas;
    this.#run = run;
    this.#onContact = onContact;
  }

  /** Never throws. */
  async run(): Promise<SagaReport> {
    let worker: SagaWorker | undefined;
    let error: unknown;
    try {
      await registerSaga(this.#run.store, newestOf(this.#sagas));
      await this.#checkCode();
      this.#onContact();
      worker = this.#makeWorker();
      error = await this.#work(worker);
    } catch (thrown) {
      error = thrown;
    }
    return {
      saga: this.#name,
      position: this.#position,
      ended: worker?.ended ?? noEnds,
      left: this.#missing + (worker?.left ?? 0),
      error: error === undefined ? null : toEvstoreError(this.#name, error),
    };
  }

  /** Returns what stopped it. */
  async #work(worker: SagaWorker): Promise<unknown> {
    const { once } = this.#run;
    let failure: { readonly error: unknown } | undefined;
    const reading = this.#readUnderLease(worker).catch((error: unknown) => {
      failure = { error };
      worker.halt();
    });
    await worker.run(once ? { after: reading, withinMs: onceWithinMs } : undefined);
    this.#stop.abort();
    await reading;
    return failure?.error ?? worker.failure;
  }

  #makeWorker(): SagaWorker {
    const { store, owner, signal, graceMs = defaultGraceMs, report } = this.#run;
    const holder = { owner: `${owner}/${this.#name}`, process: thisProcess(), ttlMs: leaseTtlMs };
    const { log, sagas: instances } = store;
    return new SagaWorker({ log, instances, sagas: this.#sagas, holder, signal, graceMs, report });
  }

  /** Only the process that has the lease reads the log. All processes drive instances, with or without it. */
  async #readUnderLease(worker: SagaWorker): Promise<void> {
    const { store, once } = this.#run;
    const run = { ...this.#run, signal: AbortSignal.any([this.#run.signal, this.#stop.signal]) };
    const backOff = new BackOff(100, 5_000);
    for (;;) {
      const lease = await takeSubscriptionLease({
        ...run,
        id: sagaCategory(this.#name),
        version: newestOf(this.#sagas).version,
        tellWaiting: (owner) => run.report?.({ kind: 'waiting', saga: this.#name, owner }),
      });
      if (lease === undefined) return;
      try {
        return await keepLease(store.projections, lease, run, async (signal) => {
          const { since, ...filter } = rangeOf(this.#sagas);
          const audited = since === undefined ? filter : undefined;
          const place = new SagaCheckpoint(store.projections, lease, this.#name, audited);
          await this.#read(worker, place, signal);
          if (isEvstoreError(signal.reason)) throw signal.reason;
        });
      } catch (error) {
        if (once || !isEvstoreError(error) || error.code !== 'E_SUPERSEDED') throw error;
        run.report?.({ kind: 'interrupted', saga: this.#name, error });
        await backOff.wait(run.signal);
      }
    }
  }

  async #read(worker: SagaWorker, place: SagaCheckpoint, signal: AbortSignal): Promise<void> {
    const { store, once } = this.#run;
    const reader = new SagaReader(this.#sagas, store.sagas, worker, this.#run);
    this.#position = place.position;
    const { safeHead } = await store.log.head();
    try {
      await reader.begin(place, signal);
      const subscriptionId = sagaCategory(this.#name);
      const before = (await store.projections.checkpoints()).find((each) => each.subscriptionId === subscriptionId);
      let hasError = (before?.lastError ?? null) !== null;
      do {
        await reader.read(place, once ? safeHead : undefined, signal);
        this.#position = place.position;
        if (hasError) await store.projections.recordError(subscriptionId, null);
        hasError = false;
        if (once) return;
        await store.log.waitForAppend(place.position, { timeoutMs: waitMs, signal });
      } while (!signal.aborted);
    } catch (error) {
      // If this cannot be recorded now, the reason it stopped is still thrown.
      await recordFailure(store, sagaCategory(this.#name), error).catch(() => {});
      throw error;
    } finally {
      this.#position = place.position;
    }
  }

  /** @throws E_CONFIG when running instances of the same version have other steps */
  async #checkCode(): Promise<void> {
    const codes = this.#sagas.map(codeOf);
    const active: readonly string[] = activePhases;
    const missing = new Map<number, number>();
    for (const { version, definition, phase, instances } of await this.#run.store.sagas.count(this.#name)) {
      if (!active.includes(phase) || codes.some((code) => code.version === version && code.definition === definition))
        continue;
      if (codes.some((code) => code.version === version)) throw otherSteps(this.#name, version, instances);
      missing.set(version, (missing.get(version) ?? 0) + instances);
    }
    for (const [version, instances] of missing) {
      this.#missing += instances;
      this.#run.report?.({ kind: 'missing code', saga: this.#name, version, instances });
    }
  }
}

function otherSteps(saga: string, version: number, instances: number): EvstoreError {
  const who = instances === 1 ? 'A running instance was' : `${instances} running instances were`;
  return new EvstoreError('E_CONFIG', `version ${version} of saga ${saga} has other steps than before`, {
    why: `${who} started by that version with other steps. Keep those under ${version}, and give the new ones version ${version + 1}.`,
    next: `evstore saga list ${saga}`,
    details: { saga, version, instances },
  });
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
