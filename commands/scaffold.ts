/**
 * `evstore scaffold`: code to start from, in the style of the project, with a test that passes as generated. Replaces a file
 * only when it is told to, and shows what changes before it does.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { EvstoreError } from '../src/domain/errors.js';
import { shellWord } from '../src/domain/shell-word.js';
import { count } from '../src/domain/words.js';
import { renderReport } from '../src/output/json-line.js';
import { renderLineDiff } from '../src/output/line-diff.js';
import { findMissingGlob, folderOf, type GlobSetting, readConfigPlace } from '../src/scaffold/config-globs.js';
import { detectProject, type Project } from '../src/scaffold/detect.js';
import { inferFromStore } from '../src/scaffold/infer.js';
import { parseEventTypes, parseSteps } from '../src/scaffold/names.js';
import { type ModuleProject, runsTemporalWorkers, temporalPackages } from '../src/scaffold/project.js';
import { sampleData } from '../src/scaffold/sample.js';
import { type Scaffolded, scaffold } from '../src/scaffold/scaffold.js';
import {
  aggregateTemplate,
  projectionTemplates,
  reactionTemplate,
  sagaTemplates,
  type Template,
  upcasterTemplate,
} from '../src/scaffold/templates.js';
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
  option('--force', 'replace existing files, after a diff and a question'),
];

function kindOption(templates: Readonly<Record<string, Template>>, standard: string) {
  const kinds = Object.entries(templates).map(([kind, { summary }]) => `${kind} (${summary})`);
  return option('--kind <kind>', `${kinds.join(', ')} (default: ${standard})`, oneOf(...Object.keys(templates)));
}

function placeOptions(folder: string) {
  return [
    option('--dir <folder>', `target folder, inside the current one (default: that of the config, or ${folder})`),
    dryRunOption(),
  ];
}

const writes = (folder: string) => `${folder}/NAME.ts and its test; replaces files only with --force`;
const writesAndLists = (folder: string) => `${writes(folder)}; adds --dir to evstore.config.json if it must`;

const projection: Command = {
  usage: 'projection <name>',
  summary: 'generate a projection and its test',
  writes: writesAndLists('projections'),
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
  options: [kindOption(projectionTemplates, 'summary'), ...common, ...placeOptions('projections')],
  run: async ([name = ''], flags, context) => {
    const kind = (flags.kind ?? 'summary') as keyof typeof projectionTemplates;
    return run({ name, template: projectionTemplates[kind], setting: 'projections' }, flags, context);
  },
};

const saga: Command = {
  usage: 'saga <name>',
  summary: 'generate a saga and its test',
  writes: `${writesAndLists('sagas')}; with --kind temporal the folder temporal/NAME`,
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
    {
      line: 'evstore scaffold saga permit-review --steps check-plans,collect-fee',
      purpose: 'name the steps',
    },
  ],
  options: [
    kindOption(sagaTemplates, 'orchestration'),
    option('--steps <names>', 'the steps, in the order in which they run: a,b,c', parseSteps),
    ...common,
    ...placeOptions('sagas'),
  ],
  run: async ([name = ''], flags, context) => {
    const kind = (flags.kind ?? 'orchestration') as keyof typeof sagaTemplates;
    const template = sagaTemplates[kind];
    if (kind === 'temporal') return run({ name, template }, flags, context);
    return run({ name, template, setting: kind === 'choreography' ? 'reactions' : 'sagas' }, flags, context);
  },
};

const aggregate: Command = {
  usage: 'aggregate <name>',
  summary: 'generate an aggregate and its test',
  writes: writesAndLists('aggregates'),
  examples: [
    {
      line: 'evstore scaffold aggregate permit --events PermitFiled,PermitGranted',
      purpose: 'fold these events into a state, and decide on commands',
    },
  ],
  options: [...common, ...placeOptions('aggregates')],
  run: async ([name = ''], flags, context) => {
    return run({ name, template: aggregateTemplate, setting: 'aggregates' }, flags, context);
  },
};

const reaction: Command = {
  usage: 'reaction <name>',
  summary: 'generate a reaction and its test',
  writes: writesAndLists('reactions'),
  examples: [
    {
      line: 'evstore scaffold reaction permit-letter --events PermitGranted',
      purpose: 'append an event whenever such an event is recorded',
    },
  ],
  options: [...common, ...placeOptions('reactions')],
  run: async ([name = ''], flags, context) => {
    return run({ name, template: reactionTemplate, setting: 'reactions' }, flags, context);
  },
};

const upcaster: Command = {
  usage: 'upcaster <name>',
  summary: 'generate an upcaster and its test',
  writes: writes('upcasters'),
  examples: [
    {
      line: 'evstore scaffold upcaster permit-source --events PermitFiled',
      purpose: 'turn the data of schema version 1 into that of version 2',
    },
  ],
  options: [...common, ...placeOptions('upcasters')],
  run: async ([name = ''], flags, context) => run({ name, template: upcasterTemplate }, flags, context),
};

export const command: Command = {
  usage: 'scaffold',
  writes: 'code and its test inside the project; replaces files only with --force',
  examples: [
    { line: 'evstore scaffold projection order-summary', purpose: 'write projections/order-summary.ts and its test' },
    { line: 'evstore scaffold saga order-fulfilment', purpose: 'write sagas/order-fulfilment.ts and its test' },
  ],
  options: [],
  subcommands: [projection, saga, aggregate, upcaster, reaction],
};

interface Wanted {
  readonly name: string;
  readonly template: Template;
  /** The setting of the config that finds the files; undefined for code that other code imports. */
  readonly setting?: GlobSetting;
}

async function run({ name, template, setting }: Wanted, flags: Flags, context: Context): Promise<number> {
  const { cwd } = context.io;
  const dryRun = flags.dryRun === true;
  const config = readConfigPlace(cwd, flags.config as string | undefined, setting ?? 'projections');
  const plain = template.files === undefined ? `${template.folder}s` : template.folder;
  const standard = setting === undefined ? plain : folderOf(config, setting);
  const place =
    typeof flags.dir === 'string' ? { root: cwd, folder: flags.dir } : { root: config.folder, folder: standard };
  const project = detectProject(join(place.root, place.folder));
  const chosen = await chooseEvents(template, flags, context);
  const request = {
    template,
    name,
    ...chosen,
    steps: flags.steps as readonly string[] | undefined,
    ...place,
    style: project.style,
    force: flags.force === true,
  };
  const made = await generate(request, context);
  const toPath = (path: string) => relative(cwd, join(place.root, path));
  const files = made.files.map((file) => ({ ...file, path: toPath(file.path) }));
  const code = join(place.root, made.files[0]?.path ?? '');
  const missing = setting === undefined ? {} : await findMissingGlob(config, setting, code);
  if (missing.change !== undefined) {
    files.push({ ...missing.change, path: relative(cwd, missing.change.file) });
  }
  if (made.project === null) {
    await context.note(`found: ${project.found.join(', ')}${from(project)}`);
    for (const doubt of project.doubts) await context.warn(doubt);
  } else if (!runsTemporalWorkers()) {
    await context.warn('Temporal workers do not run on this system: @temporalio/worker has no build for musl (Alpine)');
  }
  await showChanges(files, context);
  const replaced = files
    .slice(0, made.files.length)
    .filter(({ before, content }) => before !== null && before !== content);
  if (replaced.length > 0 && !dryRun) {
    await context.confirm(`Replace ${replaced.map(({ path }) => path).join(', ')}?`);
  }
  if (!dryRun) made.write();
  if (!dryRun && missing.change !== undefined) writeFileSync(missing.change.file, missing.change.content);
  const report = { name: made.name, files: files.map(({ path, content }) => ({ path, content })), dryRun };
  await context.io.stdout.write(context.asJson ? renderReport(report) : describe(report));
  if (missing.line !== undefined) await context.warn(`evstore run does not find it; add to ${missing.line}`);
  const test = files[made.files.length - 1]?.path ?? '';
  const next = made.project === null ? nextCommands(test, project, setting) : nextOfTemporal(test, made.project);
  if (!dryRun) for (const line of next) await context.note(line);
  return 0;
}

function from({ from: files }: Project): string {
  return files.length === 0 ? ' (the defaults: there is no package.json)' : ` (${files.join(', ')})`;
}

/** What is in a file is lost when it is replaced, so it is shown before. */
async function showChanges(files: Scaffolded['files'], context: Context): Promise<void> {
  if (context.asJson) return;
  for (const { path, before, content } of files) {
    if (before === null) continue;
    const diff = renderLineDiff(path, before, content, context.theme.stderr);
    await context.io.stderr.write(diff === '' ? `${sanitise(path)} does not change\n` : diff);
  }
}

/** A file that exists is replaced only when that is asked for. */
async function generate(request: Parameters<typeof scaffold>[0], context: Context): Promise<Scaffolded> {
  try {
    return await scaffold(request);
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
    if (category === undefined && flags.sample === undefined) return { events, fields: [] };
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
  const takesOne = template.takesOneEvent === true || ['saga', 'temporal', 'reaction'].includes(template.folder);
  return {
    events: takesOne && events === undefined ? found.events.slice(0, 1) : found.events,
    fields: found.fields,
    category: found.category,
    samples: sampleData(found.shapes),
  };
}

interface Report {
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly dryRun: boolean;
}

function describe({ files, dryRun }: Report): string {
  if (!dryRun) return files.map(({ path }) => `${path}\n`).join('');
  return files.map(({ path, content }) => `// ${path}\n${content}`).join('\n');
}

function nextCommands(test: string, { runTest }: Project, setting: GlobSetting | undefined): readonly string[] {
  const path = shellWord(test.split(sep).join('/'));
  return [
    `next: ${runTest} ${path}`,
    ...(setting === 'projections' ? ['      evstore run --once'] : []),
    ...(setting === 'sagas' || setting === 'reactions' ? ['      evstore run --once --sagas'] : []),
  ];
}

function nextOfTemporal(test: string, { packages, testRunner }: ModuleProject): readonly string[] {
  const missing = (names: readonly string[]) => names.filter((name) => !packages.has(name));
  const { run, development } = temporalPackages;
  const isNodeTest = testRunner === 'node:test';
  const folder = shellWord(dirname(test).split(sep).join('/'));
  const lines = [
    ...installLine('npm install', missing(run)),
    ...installLine('npm install --save-dev', missing(development)),
    isNodeTest ? `node --import tsx --test ${folder}/*.test.ts` : `npx vitest run ${folder}`,
  ];
  return lines.map((line, at) => `${at === 0 ? 'next: ' : '      '}${line}`);
}

function installLine(command: string, packages: readonly string[]): readonly string[] {
  return packages.length === 0 ? [] : [`${command} ${packages.join(' ')}`];
}
