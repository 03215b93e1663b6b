/** `evstore run`: keeps read models up to date. */
import type { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { ownerName } from '../src/projection/owner.js';
import type { PreparedProjection } from '../src/projection/prepare.js';
import { type RunResult, runProjections } from '../src/projection/run.js';
import type { RunNews } from '../src/projection/runner.js';
import type { LoadedSaga } from '../src/saga/load.js';
import type { SagaReport } from '../src/saga/run-sagas.js';
import type { Store } from '../src/store/store.js';
import { type Command, type Flags, option } from './command.js';
import type { Context } from './context.js';
import { wholeNumber } from './parse-option.js';
import { loadCode, selectCode } from './projection-code.js';
import { describeSaga, loadSagaCode, runLoadedSagas } from './saga-run.js';
import { dryRunOption, projectionsOption } from './shared-options.js';

export const command: Command = {
  usage: 'run [name...]',
  summary: 'keep read models up to date with the log',
  writes: "the read models' tables and their checkpoints, made on the first run; with --sagas, what their steps append",
  examples: [
    { line: 'evstore run', purpose: 'every projection; catches up, then follows until Ctrl-C' },
    { line: 'evstore run order_summary --once', purpose: 'up to the head as it is now, then stop' },
    { line: 'evstore run --sagas', purpose: 'projections, and the sagas of the folder sagas' },
    { line: "evstore run --projections 'src/**/*.projection.ts'", purpose: 'projections of other files' },
  ],
  options: [
    option('--once', 'stop at the head as it is at the start'),
    option('--batch-size <events>', 'events a transaction (default: what a quarter of a second takes)', wholeNumber(1)),
    projectionsOption(),
    option('--sagas', "run the sagas too (the config's, or those of the folder sagas)"),
    dryRunOption(),
  ],
  run: async (names, flags, context) => {
    const loaded = await loadSagaCode(context, flags);
    const sagas = loaded.filter(({ name }) => names.length === 0 || names.includes(name));
    const projections = await selectProjections(context, flags, names, sagas);
    const store = await context.openStore();
    if (flags.dryRun === true) return describePlan(store, projections, context);
    const [results, reports] = await Promise.all([
      runProjections({
        store,
        projections,
        owner: ownerName(),
        once: flags.once === true,
        batchSize: flags.batchSize as number | undefined,
        signal: context.io.signal,
        report: (news) => void tell(news, context).catch(() => {}),
      }),
      runLoadedSagas(store, sagas, flags, context),
    ]);
    await report(results, reports, context);
    return failWithFirst([...results, ...reports], context);
  },
};

/** Names of sagas choose no projection, and where there are sagas no projection is needed. */
async function selectProjections(
  context: Context,
  flags: Flags,
  names: readonly string[],
  sagas: readonly LoadedSaga[],
): Promise<readonly PreparedProjection[]> {
  if (sagas.length === 0) return selectCode(context, flags, names);
  const others = names.filter((name) => !sagas.some((saga) => saga.name === name));
  if (names.length === 0) return loadCode(context, flags);
  return others.length === 0 ? [] : selectCode(context, flags, others);
}

async function report(
  results: readonly RunResult[],
  sagaReports: readonly SagaReport[],
  context: Context,
): Promise<void> {
  const { stdout } = context.io;
  if (context.format({ people: 'table', pipe: 'table' }) === 'json') {
    const projections = results.map(({ error, ...rest }) => ({ ...rest, error: error?.message ?? null }));
    const sagas = sagaReports.map(({ error, ...rest }) => ({ ...rest, error: error?.message ?? null }));
    await stdout.write(renderReport({ projections, sagas }));
    return;
  }
  for (const each of sagaReports) await stdout.write(context.quiet ? `${each.position}\n` : `${describeSaga(each)}\n`);
  for (const { name, position, events, error } of results) {
    if (context.quiet) await stdout.write(`${position}\n`);
    else
      await stdout.write(
        `${name}: at position ${position}, ${events} events applied${error === null ? '' : ', stopped'}\n`,
      );
  }
}

/** The first failure decides the exit code; the others have been told as they happened. */
async function failWithFirst(
  results: readonly { readonly error: EvstoreError | null }[],
  context: Context,
): Promise<number> {
  const errors = results.flatMap(({ error }) => (error === null ? [] : [error]));
  for (const error of errors.slice(1)) await context.warn(`${error.message} (${error.code})`);
  if (errors[0] !== undefined) throw errors[0];
  return 0;
}

async function tell(news: RunNews, context: Context): Promise<void> {
  const { projection } = news;
  switch (news.kind) {
    case 'leading':
      return context.note(`${projection}: running from position ${news.position}`);
    case 'standby':
      return context.note(`${projection}: standing by, ${news.owner} runs it`);
    case 'superseded':
      return context.warn(`${projection}: superseded, nothing of the batch was written; standing by`);
    case 'stale code':
      return context.warn(
        `${projection}: the code changed under the same version; give it a new one and run: evstore rebuild ${projection}`,
      );
    case 'disconnected':
      return context.warn(`${projection}: ${news.error.message}; trying again`);
    case 'reconnected':
      return context.note(`${projection}: connected again`);
    case 'failed':
      return context.note(`${projection}: stopped`);
    case 'progress':
      return undefined;
  }
}

async function describePlan(
  store: Store,
  projections: readonly PreparedProjection[],
  context: Context,
): Promise<number> {
  const { safeHead } = await store.log.head();
  const checkpoints = await store.projections.checkpoints();
  const planned = projections.map(({ name, version, tables }) => {
    const position = checkpoints.find(({ subscriptionId }) => subscriptionId === name)?.position ?? null;
    return { name, version, tables, position, safeHead };
  });
  if (context.format({ people: 'table', pipe: 'table' }) === 'json') {
    await context.io.stdout.write(renderReport({ dryRun: true, projections: planned }));
    return 0;
  }
  for (const { name, tables, position } of planned) {
    const start =
      position === null
        ? `would make ${tables.join(', ')} and run from the beginning`
        : `would run from position ${position}`;
    await context.io.stdout.write(`${name}: ${start} to ${safeHead}\n`);
  }
  return 0;
}
