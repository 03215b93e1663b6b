/** Makes projects of every kind, and generates code of every kind in each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectProject } from '../../src/scaffold/detect.js';
import type { Field, SampleData } from '../../src/scaffold/plan.js';
import { scaffold } from '../../src/scaffold/scaffold.js';
import type { CodeStyle, TestRunner } from '../../src/scaffold/style.js';
import {
  aggregateTemplate,
  projectionTemplates,
  reactionTemplate,
  sagaTemplates,
  type Template,
  upcasterTemplate,
} from '../../src/scaffold/templates.js';

export const templates: readonly Template[] = [
  ...Object.values(projectionTemplates),
  sagaTemplates.orchestration,
  aggregateTemplate,
  upcasterTemplate,
  reactionTemplate,
];

export const testRunners: readonly TestRunner[] = ['vitest', 'jest', 'node:test'];
const moduleSystems = { esm: { type: 'module' }, commonjs: { type: 'commonjs' }, none: {} } as const;
const flagSets = {
  plain: {},
  flags: {
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
  },
} as const;

/** So that every combination of its settings is read, and none is left out. */
const formatters: Readonly<Record<TestRunner, readonly [string, object] | undefined>> = {
  vitest: undefined,
  jest: ['.prettierrc', { useTabs: true, semi: false }],
  'node:test': ['biome.json', { formatter: { indentStyle: 'space', indentWidth: 4 } }],
};

/** What the user names. */
interface Variant {
  readonly name: string;
  readonly events?: readonly string[];
  readonly fields?: readonly Field[];
  readonly steps?: readonly string[];
  readonly samples?: ReadonlyMap<string, SampleData>;
}

const fields: readonly Field[] = [
  { name: 'applicant', type: 'text', sample: "'text'" },
  { name: 'fee', type: 'bigint', sample: '7' },
  { name: 'due_on', type: 'timestamp', sample: "'2026-01-01T00:00:00.000Z'" },
  { name: 'details', type: 'json', sample: '{ any: [1] }' },
];

/** Members that no column has, and names that need quotes. */
const samples = new Map<string, SampleData>([
  [
    'PermitFiled',
    {
      version: 2,
      members: [...fields.map(({ name, sample }) => [name, sample] as const), ['odd name', '1'], ['__proto__', '2']],
    },
  ],
  ['PermitChecked', { version: 3, members: [['by', "'text'"]] }],
  ['permit.closed', { version: 1, members: [['reason', "'none'"]] }],
]);

const variants: readonly Variant[] = [
  { name: 'sample-code' },
  {
    name: 'permitReview',
    events: ['PermitFiled', 'PermitChecked', 'permit.closed', 'T02-Decided'],
    fields,
    steps: ['checkPlans', 'collect-fee', 'issue_it'],
    samples,
  },
];

/** Odd names, tried in one project of each runner. */
const oddVariants: readonly Variant[] = [
  { name: 'Pair_Of_Events', events: ['First', 'Second'] },
  { name: 'single', events: ['Only_One'], steps: ['one'] },
  { name: 'inherited', events: ['constructor', 'toString', 'valueOf', 'hasOwnProperty'] },
  { name: 'sameAsSample', events: ['OrderPlaced', 'OrderPaid'], steps: ['book-shipment', 'reserve-stock'] },
  { name: 'stepsOnly', steps: ['only'] },
];

/** What `types generate` makes of a store with these events: the compiler then knows the data of each. */
const storedEvents = `export {};
declare module 'evstore' {
  interface StoredEvents {
    PermitFiled: {
      applicant: string;
      fee: number;
      due_on: string;
      details: { any: number[] };
      'odd name': number;
      __proto__: number;
      note?: string;
    };
    PermitChecked: { by: string };
    'permit.closed': { reason: 'none' | 'error' };
  }
}
`;

export interface MatrixProject {
  /** Absolute. */
  readonly folder: string;
  /** The folder of the projects that are compiled together; undefined for JavaScript. */
  readonly compiled: string | undefined;
  readonly runner: TestRunner;
  readonly style: CodeStyle;
  readonly files: readonly GeneratedFile[];
}

export interface GeneratedFile {
  /** Relative to the folder of the project. */
  readonly path: string;
  readonly content: string;
  readonly template: Template;
  readonly variant: Variant;
}

/** @param base gets a folder for each set of compiler options and kind of modules, with a project for each runner */
export async function makeMatrix(base: string): Promise<readonly MatrixProject[]> {
  const projects: MatrixProject[] = [];
  for (const [system, manifest] of Object.entries(moduleSystems)) {
    for (const runner of testRunners) {
      const folder = join(base, `js-${system}`, nameOf(runner));
      projects.push(await makeProject(folder, manifest, runner, undefined));
      for (const [flags, options] of Object.entries(flagSets)) {
        const compiled = join(base, `ts-${system}-${flags}`);
        const isOdd = system === 'esm' && flags === 'flags';
        projects.push(await makeProject(join(compiled, nameOf(runner)), manifest, runner, compiled, options, isOdd));
      }
    }
  }
  return projects;
}

export const nameOf = (runner: TestRunner) => runner.replace(':', '-');

async function makeProject(
  folder: string,
  manifest: object,
  runner: TestRunner,
  compiled: string | undefined,
  flags: object = {},
  isOdd = false,
): Promise<MatrixProject> {
  mkdirSync(folder, { recursive: true });
  const packages = {
    evstore: '*',
    ...(runner !== 'node:test' && { [runner]: '*' }),
    ...(compiled && { typescript: '*' }),
  };
  const scripts = runner === 'node:test' ? { test: 'node --test' } : {};
  write(folder, 'package.json', { ...manifest, scripts, devDependencies: packages });
  // A search for the package.json, or for the config of a formatter, ends here.
  mkdirSync(join(folder, '.git'), { recursive: true });
  const formatter = formatters[runner];
  if (formatter !== undefined) write(folder, ...formatter);
  if (compiled !== undefined) {
    const compilerOptions = {
      ...{ target: 'es2023', lib: ['es2023'], types: ['node'], module: 'nodenext', strict: true },
      ...{ skipLibCheck: true, noUnusedLocals: true, noUnusedParameters: true },
      ...flags,
    };
    write(folder, 'tsconfig.json', { compilerOptions });
    // The projects of all runners are compiled at once.
    const shared = { ...compilerOptions, rootDir: '.', outDir: 'out' };
    const include = testRunners.flatMap((each) => ['*s/*', 'all.*'].map((glob) => `${nameOf(each)}/${glob}`));
    write(compiled, 'tsconfig.json', { compilerOptions: shared, include });
    if (runner !== 'vitest') write(join(compiled, 'out', nameOf(runner)), 'package.json', manifest);
  }
  if (isOdd) {
    mkdirSync(join(folder, 'types'));
    writeFileSync(join(folder, 'types/stored-events.d.ts'), storedEvents);
  }
  const { style, doubts } = detectProject(folder);
  if (doubts.length > 0) throw new Error(doubts.join('; '));
  const files: GeneratedFile[] = [];
  for (const template of templates) {
    for (const variant of [...variants, ...(isOdd ? oddVariants : [])]) {
      const made = await generate(template, variant, folder, style);
      files.push(...made.map((file) => ({ ...file, template, variant })));
    }
  }
  writeIndex(folder, style, files);
  return { folder, compiled, runner, style, files };
}

async function generate(template: Template, variant: Variant, folder: string, style: CodeStyle) {
  const { name, events, fields: found = [], steps, samples: data } = variant;
  const isJoin = template === projectionTemplates.join;
  if (isJoin && events !== undefined && events.length < 2) return [];
  if (template.own === undefined && steps !== undefined && events === undefined) return [];
  const made = await scaffold({
    template,
    name: `${name}-k${templates.indexOf(template)}`,
    events: template.takesOneEvent === true ? events?.slice(0, 1) : events,
    fields: found,
    samples: data,
    ...(template.own !== undefined && { steps }),
    style,
    root: folder,
    folder: `${template.folder}s`,
    force: false,
  });
  made.write();
  return made.files;
}

/** A module that imports every test: a runner starts once for a project, not once for a file. */
function writeIndex(folder: string, { extension, modules }: CodeStyle, files: readonly GeneratedFile[]): void {
  const tests = files.map(({ path }) => path.replaceAll('\\', '/')).filter((path) => path.includes('.test.'));
  const ending = extension.replace('ts', 'js');
  const lines = tests.map((path) => {
    const name = `'./${path.replace(/\.[cm]?[jt]s$/, `.${ending}`)}'`;
    return modules === 'require' ? `require(${name});` : `import ${name};`;
  });
  writeFileSync(join(folder, `all.${extension}`), `${lines.join('\n')}\n`);
}

function write(folder: string, name: string, content: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), JSON.stringify(content, null, 2));
}
