/**
 * A runner's COMMIT takes its time on the server, and the wire breaks meanwhile: the runner comes back, finds the
 * checkpoint where it was, and tries the same batch again while the first one is still to come. Postgres only.
 */
import { checkHistory, History } from '../support/history.js';
import { startWireProxy } from '../support/wire-proxy.js';
import { countsCode, importCounts, Observer } from './counts.js';
import { deploy, evstore, inFolder, succeed, type Trial, type TrialReport } from './trial.js';

export function loseCommit(trial: Trial): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random } = trial;
    const folder = deploy(parent, 'code', countsCode());
    const history = new History();
    const observer = new Observer(test, history);
    const findings: string[] = [];
    await succeed(evstore(trial, folder, ['run', '--once']), 'the first run', findings);
    await test.raw.query(`
      create function take_time() returns trigger language plpgsql as 'begin perform pg_sleep(0.05); return null; end';
      create constraint trigger take_time after insert on counts_by_sql deferrable initially deferred
        for each row execute function take_time()`);
    await importCounts(test, history, 200);
    const proxy = await startWireProxy(test.url);
    try {
      let isInBatch = false;
      proxy.cutWhen(({ kind, bytes }) => {
        const text = bytes.toString('latin1');
        if (kind === 'P') isInBatch ||= /insert into .*counts_by_sql/.test(text);
        return isInBatch && kind === 'Q' && /^commit/i.test(text.slice(5));
      }, 'after');
      const through = { ...trial, test: { ...test, url: proxy.url } };
      const runner = evstore(through, folder, ['run', 'counts_by_sql', '--once', '--batch-size', '50']);
      await succeed(runner, 'the run over a wire that breaks', findings);
      if (proxy.cuts !== 1) findings.push('the wire did not break');
    } finally {
      await proxy.close();
    }
    await test.raw.query('drop trigger take_time on counts_by_sql');
    await succeed(evstore(trial, folder, ['run', '--once']), 'the last run', findings);
    findings.push(...(await observer.lookAtEnd()), ...checkHistory(history));
    return { trial: 'lost-commit', engine: test.engine, seed: random.seed, facts: { events: 200 }, findings };
  });
}
