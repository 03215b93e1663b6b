/** `evstore bench`: measures this store on its own server or file system. */

import type { BenchPlan, BenchReport, Measurement } from '../src/bench/bench.js';
import { formatDuration } from '../src/domain/duration.js';
import { EvstoreError } from '../src/domain/errors.js';
import { count } from '../src/domain/words.js';
import { formatBytes, groupDigits } from '../src/output/numbers.js';
import type { ScratchPlace, Store } from '../src/store/store.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { durationBetween, wholeNumber } from './options/parse-option.js';
import { dryRunOption, progressOption } from './options/shared-options.js';
import { type ListColumn, printList } from './support/print-list.js';

const [shortest, longest] = ['100ms', '10m'];
const defaultDurationMs = 3_000;
const mostConcurrency = 64;
const defaultConcurrency = 4;

export const command: Command = {
  usage: 'bench',
  writes: 'a scratch store next to this one (Postgres: a schema, SQLite: a file), dropped at the end; not the log',
  examples: [
    { line: 'evstore bench', purpose: 'measure appends, an import, reading and a rebuild, in under a minute' },
    { line: 'evstore bench --dry-run', purpose: 'show what would be written, and where' },
    { line: 'evstore bench --duration 10s --concurrency 16', purpose: 'measure longer, with more appends at once' },
    { line: 'evstore bench -q', purpose: 'print only the events a second, in the order of the table' },
    { line: 'evstore bench --clean', purpose: 'drop what a bench that was killed left behind' },
    {
      line: "evstore bench --json | jq '.measurements[] | {name, eventsPerSecond}'",
      purpose: 'print the rates as JSON',
    },
  ],
  options: [
    option(
      '--duration <duration>',
      `how long each measurement lasts, ${shortest} to ${longest}; the rebuild takes what it takes (default: 3s)`,
      durationBetween(shortest, longest),
    ),
    option(
      '--concurrency <appends>',
      `appends at the same time, 1 to ${mostConcurrency} (default: ${defaultConcurrency})`,
      wholeNumber(1, mostConcurrency),
    ),
    option('--clean', 'measure nothing: drop the scratch stores of killed processes'),
    progressOption(),
    dryRunOption(),
  ],
  run: async (_args, flags, context) => {
    const store = await context.openStore();
    if (flags.clean === true) return clean(store, flags, context);
    const { planBench, runBench } = await import('../src/bench/bench.js');
    const plan = await planBench(store, {
      durationMs: (flags.duration as number | undefined) ?? defaultDurationMs,
      concurrency: (flags.concurrency as number | undefined) ?? defaultConcurrency,
    });
    for (const left of plan.leftovers) await context.warn(describeLeftover(left));
    await context.note(describePlan(plan, flags.dryRun === true));
    if (flags.dryRun === true) {
      await printList(context, [], columns, {
        report: { dryRun: true, ...plan, measurements: [] },
        nothing: null,
      });
      return 0;
    }
    const progress = await context.progress('bench');
    const report = await runBench(store, {
      ...plan,
      now: context.io.now(),
      progress: (step, events) => progress.update(events, { step }),
      signal: context.io.signal,
    }).finally(() => progress.stop());
    await print(report, context);
    return 0;
  },
};

async function clean(store: Store, flags: Flags, context: Context): Promise<number> {
  if (flags.duration !== undefined || flags.concurrency !== undefined) {
    throw new EvstoreError('E_USAGE', '--clean measures nothing, so it takes no --duration and no --concurrency');
  }
  const { findLeftovers } = await import('../src/bench/bench.js');
  const left = await findLeftovers(store);
  const dryRun = flags.dryRun === true;
  if (left.length > 0 && !dryRun) {
    await context.confirm(`Drop ${left.map(({ name }) => name).join(', ')}?`);
    for (const { name } of left) await store.scratch.remove(name);
  }
  await printList(context, left, leftColumns, {
    report: { dryRun, dropped: left.map(({ name, bytes }) => ({ name, bytes })) },
    nothing: 'nothing was left behind',
  });
  if (left.length > 0) await context.note(dryRun ? 'these would be dropped' : 'dropped');
  return 0;
}

function describeLeftover({ name, bytes }: ScratchPlace): string {
  return `${name} takes ${formatBytes(bytes)}: a bench that was killed left it behind; evstore bench --clean`;
}

function describePlan({ scratch, durationMs, concurrency }: BenchPlan, isDry: boolean): string {
  const { place, mostBytes, mostEvents } = scratch;
  const size = `at most ${formatBytes(mostBytes)}, ${groupDigits(mostEvents)} events`;
  const lasts = `five measurements of about ${formatDuration(durationMs)}, ${count(concurrency, 'append')} at once`;
  return `${isDry ? 'would write' : 'writes'} ${size}, to ${place}, and drops it at the end; ${lasts}`;
}

async function print(report: BenchReport, context: Context): Promise<void> {
  const { measurements, scratch, eventBytes, limits, conditions } = report;
  const isText = ['table', 'tsv'].includes(context.format({ people: 'table', pipe: 'tsv' }));
  if (context.quiet && isText) {
    for (const { eventsPerSecond } of measurements) await context.io.stdout.write(`${eventsPerSecond ?? ''}\n`);
    return;
  }
  await printList(context, measurements, columns, { report: { dryRun: false, ...report }, nothing: null });
  const facts = conditions.map(({ name, value }) => (name === 'server' ? value : `${name} ${value}`));
  const written = scratch.bytes === null ? [] : [`the scratch store took ${formatBytes(scratch.bytes)}`];
  await context.note([...facts, `events of ${eventBytes} bytes`, ...written].join('; '));
  for (const limit of limits) await context.note(limit);
  await context.note('these figures are of this machine at this moment: other work on it changes them');
}

const figure = (value: number | null, digits = 0) =>
  value === null ? '–' : digits === 0 ? groupDigits(value) : value.toFixed(digits);

const columns: readonly ListColumn<Measurement>[] = [
  { heading: 'name', title: 'measurement', field: ({ name }) => name, text: ({ title }) => title },
  {
    heading: 'eventsPerSecond',
    title: 'events/s',
    field: ({ eventsPerSecond }) => eventsPerSecond,
    text: ({ eventsPerSecond }) => figure(eventsPerSecond),
    align: 'right',
    rank: 'high',
  },
  {
    heading: 'medianMs',
    title: 'median ms',
    field: ({ medianMs }) => medianMs,
    text: ({ medianMs }) => figure(medianMs, 2),
    align: 'right',
  },
  {
    heading: 'p99Ms',
    title: 'p99 ms',
    field: ({ p99Ms }) => p99Ms,
    text: ({ p99Ms }) => figure(p99Ms, 2),
    align: 'right',
  },
  { heading: 'events', field: ({ events }) => events, align: 'right', rank: 'low' },
  {
    heading: 'seconds',
    field: ({ seconds }) => seconds,
    text: ({ seconds }) => figure(seconds, 1),
    align: 'right',
    rank: 'low',
  },
];

const leftColumns: readonly ListColumn<ScratchPlace>[] = [
  { heading: 'name', field: ({ name }) => name },
  { heading: 'bytes', field: ({ bytes }) => bytes, text: ({ bytes }) => formatBytes(bytes), align: 'right' },
];
