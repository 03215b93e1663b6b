/** `evstore run`: keeps read models up to date. */

import type { EvstoreError } from '../src/domain/errors.js';
import { type Part, parsePart, partOf, subscriptionIdOf, wholeWork } from '../src/domain/parts.js';
import { shellWord } from '../src/domain/shell-word.js';
import { count } from '../src/domain/words.js';
import { checkpointsOf, furthestOf } from '../src/lease/checkpoints.js';
import { ownerName } from '../src/lease/owner.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import { isExternalProjection, type PreparedProjection } from '../src/projection/define/prepare.js';
import { assertCanDivide } from '../src/projection/fold/partition.js';
import { runProjections } from '../src/projection/run/run.js';
import type { RunNews, RunResult } from '../src/projection/run/run-options.js';
import type { ReactionReport } from '../src/reaction/report.js';
import { runReactions } from '../src/reaction/run.js';
import type { SagaReport } from '../src/saga/report.js';
import { runSagas } from '../src/saga/run.js';
import type { Store } from '../src/store/store.js';
import { keepHeapSmall } from '../src/terminal/heap.js';
import type { Command, Context, Flags } from './options/command.js';
import { errorFlags, readErrorHandling } from './options/error-options.js';
import { option } from './options/option.js';
import { duration, wholeNumber } from './options/parse-option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { failWithFirst } from './support/fail-with-first.js';
import { describeReaction, describeSaga, selectRunnable, tellReactionNews, tellSagaNews } from './support/run-code.js';
import { withWayPast } from './support/way-past.js';

export const command: Command = {
  usage: 'run [name...]',
  writes: 'read models and checkpoints; with --sagas also the events of sagas and reactions',
  examples: [
    { line: 'evstore run', purpose: 'run every projection: catch up, then follow until Ctrl-C' },
    { line: 'evstore run order_summary --once', purpose: 'catch up to the current head, then stop' },
    { line: 'evstore run order_summary --partition 2/3', purpose: 'run the second of three parts' },
    { line: 'evstore run --on-error park', purpose: 'park events that a handler rejects; see evstore parked list' },
    { line: 'evstore run --sagas', purpose: 'run the sagas and the reactions as well' },
  ],
  options: [
    option('--once', 'stop at the head seen at the start'),
    option('--sagas', 'also run sagas and reactions'),
    option(
      '--batch-size <events>',
      'events in one transaction (default: about a quarter of a second of work)',
      wholeNumber(1),
    ),
    option('--partition <k/n>', 'run part k of n; start one process for each part', parsePart),
    option(
      '--grace <duration>',
      'how long steps of sagas may take to end when the run is stopped (default: 5s)',
      duration,
    ),
    ...errorFlags(),
    projectionsOption(),
    dryRunOption(),
  ],
  run: async (names, flags, context) => {
    keepHeapSmall();
    const { projections, sagas, reactions } = await selectRunnable(context, flags, names);
    const store = await context.openStore();
    const part = flags.partition as Part | undefined;
    if (part !== undefined && part.of > 1) for (const projection of projections) assertCanDivide(projection);
    if (flags.dryRun === true) return describePlan(store, projections, part, context);
    const common = { store, owner: ownerName(), once: flags.once === true, signal: context.io.signal };
    const batchSize = flags.batchSize as number | undefined;
    const handling = readErrorHandling(flags, context);
    const graceMs = flags.grace as number | undefined;
    const [results, reports, reacted] = await Promise.all([
      runProjections({
        ...common,
        ...handling,
        projections,
        part,
        batchSize,
        report: (news) => void tell(news, context).catch(() => {}),
      }),
      runSagas({
        ...common,
        ...handling,
        graceMs,
        sagas,
        report: (news) => void tellSagaNews(news, context).catch(() => {}),
      }),
      runReactions({
        ...common,
        ...handling,
        reactions,
        batchSize,
        report: (news) => void tellReactionNews(news, context).catch(() => {}),
      }),
    ]);
    await print(results, reports, reacted, context);
    await tellWhereAside(results, flags, context);
    const errors = [...results, ...reports, ...reacted].flatMap(({ error }) => (error === null ? [] : [error]));
    const code = await failWithFirst(
      errors.map((error) => withWayPast(error, flags, context)),
      context,
    );
    const needsHelp = reports.some(({ left, ended }) => left > 0 || ended['compensation-failed'] > 0);
    return code === 0 && common.once && needsHelp ? 1 : code;
  },
};

async function print(
  results: readonly RunResult[],
  sagas: readonly SagaReport[],
  reactions: readonly ReactionReport[],
  context: Context,
): Promise<void> {
  const { stdout } = context.io;
  if (context.asJson) {
    const flat = <Result extends { error: EvstoreError | null }>(result: Result) => {
      return { ...result, error: result.error?.message ?? null };
    };
    await stdout.write(
      renderReport({
        dryRun: false,
        projections: results.map(flat),
        sagas: sagas.map(flat),
        reactions: reactions.map(flat),
      }),
    );
    return;
  }
  for (const { name, position, events, aside, error, stopped } of results) {
    const left = aside === 0 ? '' : `, ${groupDigits(aside)} parked or skipped`;
    const ended = error === null ? '' : ', stopped';
    // Before it has its lease, a runner does not know its position.
    const place = error !== null && position === 0 ? '' : `at position ${groupDigits(position)}, `;
    const line = `${name}: ${place}${count(events, 'event')} applied${left}${stopped === null ? ended : `, ${stopped}`}`;
    await stdout.write(`${context.quiet ? position : line}\n`);
  }
  for (const report of sagas) await stdout.write(`${context.quiet ? report.position : describeSaga(report)}\n`);
  for (const report of reactions) {
    await stdout.write(`${context.quiet ? report.position : describeReaction(report)}\n`);
  }
}

/** The first few were named while it ran; all are in the list. */
async function tellWhereAside(results: readonly RunResult[], { onError }: Flags, context: Context): Promise<void> {
  const flags = onError === 'skip' ? ' --state skipped' : '';
  for (const { name, aside } of results.filter((result) => result.aside > 0)) {
    const { projection } = partOf(name);
    const what = onError === 'skip' ? 'skipped' : 'parked, with those that wait behind them';
    await context.note(`${name}: ${count(aside, 'event')} ${what}`);
    await context.note(`  next: evstore parked list ${shellWord(projection)}${flags}`);
  }
}

async function tell(news: RunNews, context: Context): Promise<void> {
  const { projection } = news;
  switch (news.kind) {
    case 'leading':
      return context.note(`${projection}: running from position ${groupDigits(news.position)}`);
    case 'standby':
      return context.note(`${projection}: standing by, ${news.owner} runs it`);
    case 'superseded':
      return context.warn(`${projection}: superseded, nothing of the batch was written; standing by`);
    case 'waiting':
      return context.note(
        `${projection}: the tables are of version ${news.registered}, waiting for version ${news.code}; ` +
          `rebuild it: evstore rebuild ${partOf(projection).projection}`,
      );
    case 'outdated':
      return context.note(
        `${projection}: superseded by version ${news.registered}; this program has version ${news.code}`,
      );
    case 'divided':
      return context.note(
        news.parts === 1
          ? `${projection}: no longer divided into parts`
          : `${projection}: divided into ${news.parts} parts`,
      );
    case 'stale code':
      return context.warn(
        `${projection}: the code changed under the same version; ` +
          `rebuild its rows: evstore rebuild ${partOf(projection).projection}`,
      );
    case 'unverified':
      return context.note(
        `${projection}: whether its functions changed since its rows were made is unknown: ${news.why}; ` +
          `if they did, rebuild its rows: evstore rebuild ${partOf(projection).projection}`,
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
  part: Part | undefined,
  context: Context,
): Promise<number> {
  const { safeHead } = await store.log.head();
  const checkpoints = await store.projections.checkpoints();
  const planned = projections.map((projection) => {
    const { name, version, tables } = projection;
    const id = subscriptionIdOf(name, part ?? wholeWork);
    const own = checkpoints.find(({ subscriptionId }) => subscriptionId === id)?.position;
    const position = own ?? furthestOf(checkpointsOf(checkpoints, name)) ?? null;
    const outside = isExternalProjection(projection);
    return { name: id, version, tables, outside, position, safeHead };
  });
  if (context.asJson) {
    await context.io.stdout.write(renderReport({ dryRun: true, projections: planned }));
    return 0;
  }
  for (const { name, tables, outside, position } of planned) {
    const made = outside ? 'its target, outside this store,' : tables.join(', ');
    const start = position === null ? `would make ${made} and run` : 'would run';
    await context.io.stdout.write(
      `${name}: ${start} from position ${groupDigits(position ?? 0)} to ${groupDigits(safeHead)}\n`,
    );
  }
  return 0;
}
