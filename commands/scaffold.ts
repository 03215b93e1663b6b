/** `evstore scaffold`: code to start from, with a test that passes as generated. Overwrites nothing unless it is told to, and then shows a diff. */

import { dirname } from 'node:path';
import { EvstoreError } from '../src/domain/errors.js';
import { shellWord } from '../src/domain/shell-word.js';
import { count } from '../src/domain/words.js';
import { renderReport } from '../src/output/json-line.js';
import { renderLineDiff } from '../src/output/line-diff.js';
import { inferFromStore } from '../src/scaffold/infer.js';
import { parseEventTypes, parseSteps } from '../src/scaffold/names.js';
import { runsTemporalWorkers, temporalPackages } from '../src/scaffold/project.js';
import { type Scaffold, type ScaffoldReport, scaffold } from '../src/scaffold/scaffold.js';
import { projectionTemplates, sagaTemplates, type Template } from '../src/scaffold/templates.js';
import { FileExists } from '../src/scaffold/write.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command, Context, Flags } from './options/command.js';
import { listOption, option } from './options/option.js';
import { oneOf, parseSample } from './options/parse-option.js';
import { dryRunOption } from './options/shared-options.js';

const common = [
  listOption('--events <types>', 'event types: A,B; the first type starts a stream', parseEventTypes),
  option('--from-store', 'take event types and fields from the stored events'),
  option('--category <name>', 'with --from-store: the category to read (default: the largest)'),
  option(
    '--sample <events>',
    'with --from-store: look at this many events of each type, or all (default: as types generate)',
    parseSample,
  ),
  option('--force', 'overwrite existing files, and show what changes'),
];

const projection: Command = {
  usage: 'projection <name>',
  summary: 'generate a projection and its test',
  writes: 'projections/NAME.ts and projections/NAME.test.ts; overwrites only with --force',
  examples: [
    {
      line: 'evstore scaffold projection order-summary',
      purpose: 'generate one row for each stream, with sample events',
    },
    {
      line: 'evstore scaffold projection permits --from-store',
      purpose: 'use the types and fields of the stored events',
    },
    {
      line: 'evstore scaffold projection daily --kind aggregates --events Placed,Paid',
      purpose: 'count events for each day',
    },
  ],
  options: [
    option(
      '--kind <kind>',
      `${Object.entries(projectionTemplates)
        .map(([kind, { summary }]) => `${kind} (${summary})`)
        .join(', ')} (default: summary)`,
      oneOf(...Object.keys(projectionTemplates)),
    ),
    ...common,
    option('--dir <folder>', 'target folder, inside the current one (default: projections)'),
    dryRunOption(),
  ],
  run: async ([name = ''], flags, context) => {
    const kind = (flags.kind ?? 'summary') as keyof typeof projectionTemplates;
    return run(name, projectionTemplates[kind], 'projections', flags, context);
  },
};

const saga: Command = {
  usage: 'saga <name>',
  summary: 'generate a saga and its test',
  writes: 'sagas/NAME.ts and sagas/NAME.test.ts, or the folder temporal/NAME; overwrites only with --force',
  examples: [
    { line: 'evstore scaffold saga order-fulfilment', purpose: 'generate three steps, each with its compensation' },
    {
      line: 'evstore scaffold saga permit-review --events PermitFiled',
      purpose: 'start the saga on another event type',
    },
    {
      line: 'evstore scaffold saga permits --kind temporal --steps check-plans,pay-fee',
      purpose: 'generate a Temporal workflow, its worker, a starter and tests',
    },
  ],
  options: [
    option(
      '--kind <kind>',
      `${Object.entries(sagaTemplates)
        .map(([kind, { summary }]) => `${kind} (${summary})`)
        .join(', ')} (default: orchestration)`,
      oneOf(...Object.keys(sagaTemplates)),
    ),
    option('--steps <names>', 'with --kind temporal: the steps in order: a,b,c', parseSteps),
    ...common,
    option('--dir <folder>', 'target folder, inside the current one (default: sagas or temporal)'),
    dryRunOption(),
  ],
  run: async ([name = ''], flags, context) => {
    const kind = (flags.kind ?? 'orchestration') as keyof typeof sagaTemplates;
    return run(name, sagaTemplates[kind], kind === 'temporal' ? 'temporal' : 'sagas', flags, context);
  },
};

export const command: Command = {
  usage: 'scaffold',
  writes: 'TypeScript files inside the current folder; overwrites only with --force',
  examples: [
    { line: 'evstore scaffold projection order-summary', purpose: 'write projections/order-summary.ts and its test' },
    { line: 'evstore scaffold saga order-fulfilment', purpose: 'write sagas/order-fulfilment.ts and its test' },
  ],
  options: [],
  subcommands: [projection, saga],
};

async function run(name: string, template: Template, folder: string, flags: Flags, context: Context): Promise<number> {
  const chosen = await chooseEvents(template, flags, context);
  const request = {
    template,
    name,
    ...chosen,
    steps: flags.steps as readonly string[] | undefined,
    root: context.io.cwd,
    folder: typeof flags.dir === 'string' ? flags.dir : folder,
    force: flags.force === true,
    dryRun: flags.dryRun === true,
  };
  const report = generate(request, context);
  for (const { path, before, content } of report.files) {
    if (before === null || context.asJson) continue;
    const diff = renderLineDiff(path, before, content, context.theme.stderr);
    await context.io.stderr.write(diff === '' ? `${sanitise(path)} does not change\n` : diff);
  }
  const files = report.files.map(({ path, content }) => ({ path, content }));
  const { name: made, dryRun } = report;
  await context.io.stdout.write(context.asJson ? renderReport({ name: made, files, dryRun }) : describe(report));
  if (report.project !== null && !runsTemporalWorkers()) {
    await context.warn('Temporal workers do not run on this system: @temporalio/worker has no build for musl (Alpine)');
  }
  if (!report.dryRun) for (const line of nextCommands(report, template)) await context.note(line);
  return 0;
}

/** A file that exists is replaced only when that is asked for. */
function generate(request: Scaffold, context: Context): ScaffoldReport {
  try {
    return scaffold(request);
  } catch (error) {
    if (!(error instanceof FileExists)) throw error;
    const next = context.repeatedWith('--force', '--dry-run');
    throw new EvstoreError(error.code, error.message, { why: error.why, next, cause: error });
  }
}

async function chooseEvents(template: Template, flags: Flags, context: Context) {
  const events = flags.events as readonly string[] | undefined;
  const category = flags.category as string | undefined;
  if (flags.fromStore !== true) {
    if (category === undefined && flags.sample === undefined) return { events, fields: [], category };
    const flag = category === undefined ? '--sample' : '--category';
    throw new EvstoreError('E_USAGE', `${flag} goes with --from-store`, { next: 'evstore scaffold --help' });
  }
  const store = await context.openStore();
  const progress = flags.sample === 'all' ? await context.progress('types') : undefined;
  const found = await inferFromStore(store, {
    ...{ category, events, sample: flags.sample as number | 'all' | undefined },
    progress: (done, total) => progress?.update(done, { total }),
    signal: context.io.signal,
  }).finally(() => progress?.stop());
  const looked = found.complete ? `all ${count(found.lookedAt, 'event')}` : count(found.lookedAt, 'event');
  await context.note(`${found.category}, from ${looked} of these types: ${found.events.join(', ')}`);
  if (!found.complete) {
    await context.warn('this is a sample: other events may have other fields; --sample all looks at all of them');
  }
  if (found.leftOut.length > 0) await context.warn(`left out: ${found.leftOut.join(', ')}`);
  // What starts a saga is one event, not all there are.
  return {
    events: template.folder !== 'projection' && events === undefined ? found.events.slice(0, 1) : found.events,
    fields: found.fields,
    category: found.category,
  };
}

function describe({ files, dryRun }: ScaffoldReport): string {
  if (!dryRun) return files.map(({ path }) => `${path}\n`).join('');
  return files.map(({ path, content }) => `// ${path}\n${content}`).join('\n');
}

function nextCommands({ files, project }: ScaffoldReport, { folder }: Template): readonly string[] {
  const test = (files.at(-1)?.path ?? '').replaceAll('\\', '/');
  if (project === null) {
    return [
      `next: npx vitest run ${shellWord(test)}`,
      `      evstore run --once${folder === 'saga' ? ' --sagas' : ''}`,
    ];
  }
  const missing = (packages: readonly string[]) => packages.filter((name) => !project.packages.has(name));
  const { run, development } = temporalPackages;
  const isNodeTest = project.testRunner === 'node:test';
  const runTests = isNodeTest ? 'node --import tsx --test' : 'npx vitest run';
  const tests = isNodeTest ? `${shellWord(dirname(test))}/*.test.ts` : shellWord(dirname(test));
  const lines = [
    ...installLine('npm install', missing(run)),
    ...installLine('npm install --save-dev', missing(development)),
    `${runTests} ${tests}`,
  ];
  return lines.map((line, at) => `${at === 0 ? 'next: ' : '      '}${line}`);
}

function installLine(command: string, packages: readonly string[]): readonly string[] {
  return packages.length === 0 ? [] : [`${command} ${packages.join(' ')}`];
}
