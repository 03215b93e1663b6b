/**
 * W11: a rebuild is held up just before it takes the runner's lease, and the runner goes on meanwhile: what it applied is
 * drained before the tables change names.
 */
import { join } from 'node:path';
import { checkHistory, History } from '../support/history.js';
import { until } from '../support/wait.js';
import { countsCode, importCounts, models, Observer } from './counts.js';
import type { Stop, Traced } from './programs/probe.js';
import { readTrace } from './trace.js';
import { deploy, evstore, inFolder, isFrozen, succeed, type Trial, type TrialReport } from './trial.js';

export function swapLate(trial: Trial): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random } = trial;
    const [model] = models;
    const folder = deploy(parent, 'code', countsCode());
    const history = new History();
    const observer = new Observer(test, history);
    const findings: string[] = [];
    await importCounts(test, history, 200);
    await succeed(evstore(trial, folder, ['run', '--once']), 'the first run', findings);
    const trace = join(parent, 'trace.ndjson');
    await succeed(evstore(trial, folder, ['rebuild', model], { probe: { trace } }), 'the first rebuild', findings);
    const stop = beforeLease(trial, readTrace(trace));
    const rebuild = evstore(trial, folder, ['rebuild', model], { probe: { stop } });
    await until(
      () => isFrozen(rebuild),
      () => `a stop of the rebuild, which said ${rebuild.stderr}`,
    );
    await importCounts(test, history, 100);
    await succeed(evstore(trial, folder, ['run', '--once']), 'the run meanwhile', findings);
    findings.push(...(await observer.look('held up')));
    rebuild.process.kill('SIGCONT');
    await succeed(rebuild, 'the rebuild', findings);
    findings.push(...(await observer.look('swapped')));
    await succeed(evstore(trial, folder, ['run', '--once']), 'the last run', findings);
    findings.push(...(await observer.lookAtEnd()), ...checkHistory(history));
    return { trial: 'late-swap', engine: test.engine, seed: random.seed, facts: { events: 300 }, findings };
  });
}

/** On SQLite before the transaction in which it is taken: nobody else could write. */
function beforeLease({ test }: Trial, trace: readonly Traced[]): Stop {
  const place = { moment: 'before', signal: 'SIGSTOP', since: 'commit ready' } as const;
  if (test.engine === 'postgres') return { ...place, step: 'lease taken', nth: 1 };
  const steps = trace.map(({ step }) => step);
  const between = steps.slice(
    steps.indexOf('commit ready'),
    steps.indexOf('lease taken', steps.indexOf('commit ready')),
  );
  return { ...place, step: 'begin', nth: between.filter((step) => step === 'begin').length };
}
