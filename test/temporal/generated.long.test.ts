/**
 * What `scaffold saga --kind temporal` makes type-checks, and its tests pass offline against the real packages of Temporal.
 * They find each of the faults in `faults.ts`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, expect } from 'vitest';
import { scaffold } from '../../src/scaffold/scaffold.js';
import { sagaTemplates } from '../../src/scaffold/templates.js';
import { findTemporal } from '../environment/installed.js';
import { describeRows, type Row } from '../environment/row.js';
import { notInstalled } from '../environment/servers.js';
import { allowMoreTime } from '../support/more-time.js';
import { installOnce } from '../support/package.js';
import { type Fault, faults } from './faults.js';

allowMoreTime('the workflow is bundled for each fault, in a process of its own');

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = findTemporal();
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Makes a project as a user has it, with the packed evstore. */
async function makeProject(testRunner: 'vitest' | 'node:test'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-temporal-'));
  folders.push(folder);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(join(packages ?? '', 'node_modules/@temporalio'), join(modules, '@temporalio'), 'dir');
  symlinkSync(join(await installOnce(), 'node_modules/evstore'), join(modules, 'evstore'), 'dir');
  for (const name of ['@types', 'tsx', ...(testRunner === 'vitest' ? ['vitest'] : [])]) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
  const devDependencies = testRunner === 'vitest' ? { vitest: '4' } : {};
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', devDependencies }));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    noUnusedLocals: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['temporal'] }));
  return folder;
}

/** Generates a saga, by default for a store with other events and other steps than the sample. */
async function generate(project: string, change: Partial<Parameters<typeof scaffold>[0]> = {}): Promise<string> {
  const request = {
    template: sagaTemplates.temporal,
    name: 'permit-review',
    events: ['PermitFiled', 'permit.renewed'],
    fields: [{ name: 'applicant', type: 'text', sample: "'text'" } as const],
    category: 'Permit',
    steps: ['check-plans', 'collectFee'],
    root: project,
    folder: 'temporal',
    force: false,
    ...change,
  };
  const { files, write } = await scaffold(request);
  write();
  return join(project, request.folder, files[0]?.path.split('/').at(-2) ?? '');
}

async function plant({ name, file, change }: Fault, project: string): Promise<string> {
  const folder = await generate(project, { folder: `faults/${name.replaceAll(/\W+/g, '-')}` });
  const path = join(folder, file);
  let code = readFileSync(path, 'utf8');
  for (const [from, to] of change) {
    const changed = code.replace(from, to);
    expect(changed, `${name}: ${from} is not in ${file}`).not.toBe(code);
    code = changed;
  }
  writeFileSync(path, code);
  return folder;
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
}

/** Runs these files of tests, and returns what became of each. */
async function runVitest(project: string, files: readonly string[]): Promise<ReadonlyMap<string, TestFile>> {
  // A process may set up the runtime of the worker, which replays, only once. Other files share what they load.
  const isolation = files.some((file) => file.endsWith('workflow.test.ts')) ? [] : ['--no-isolate'];
  const report = join(project, 'report.json');
  const program = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [
    'run',
    '--root',
    project,
    '--reporter',
    'json',
    '--outputFile',
    report,
    '--maxWorkers',
    '2',
    ...isolation,
    ...files,
  ];
  const result = await execa(process.execPath, [program, ...args], { cwd: project, reject: false, env: withoutVitest });
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: readonly TestFile[] };
  expect(testResults.length, result.stderr.slice(0, 4000)).toBe(files.length);
  return new Map(testResults.map((each) => [relative(project, each.name), each]));
}

/** The tests run as a user starts them, not as part of this run. */
const withoutVitest = { NODE_OPTIONS: '', VITEST: undefined, VITEST_WORKER_ID: undefined, VITEST_POOL_ID: undefined };

const testFiles = ['workflow.test.ts', 'activities.test.ts', 'start-sagas.test.ts'] as const;

/** One run of vitest for the generated projects, and one for the faults that a file of tests finds: each within the limit. */
const runs = new Map<string, Promise<ReadonlyMap<string, TestFile>>>();
function runOnce(name: string, makeFiles: (project: string) => Promise<readonly string[]>) {
  const known =
    runs.get(name) ??
    makeProject('vitest').then(async (project) => {
      const files = (await makeFiles(project)).map((file) => relative(project, file));
      return runVitest(project, files);
    });
  runs.set(name, known);
  return known;
}

const runGenerated = () =>
  runOnce('generated', async (project) => {
    const folders = [await generate(project), await generate(project, sample)];
    return folders.flatMap((folder) => testFiles.map((file) => join(folder, file)));
  });

const runFaults = (tests: Fault['tests']) =>
  runOnce(tests, (project) => {
    const planted = faults.filter((fault) => fault.tests === tests);
    return Promise.all(planted.map(async (fault) => join(await plant(fault, project), tests)));
  });

/** The sample of the template, under another name. */
const sample = { name: 'order-again', events: undefined, steps: undefined, category: undefined, fields: [] };

const rows: readonly Omit<Row, 'lacks'>[] = [
  {
    name: 'a generated project',
    expected: 'type-checks under the strictest flags',
    run: async () => {
      const project = await makeProject('vitest');
      await generate(project);
      await generate(project, sample);
      await generate(project, { name: 'OneStep', steps: ['one'], events: undefined, fields: [], category: undefined });
      const { stdout } = await execa(join(root, 'node_modules/.bin/tsc'), ['-p', project], { reject: false });
      expect(stdout).toBe('');
    },
  },
  {
    name: 'vitest',
    expected: 'the tests pass as generated',
    run: async () => {
      const files = [...(await runGenerated()).values()];
      expect(files.map(({ status, message }) => ({ status, message }))).toEqual(
        files.map(() => ({ status: 'passed', message: '' })),
      );
      const passed = files.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
      expect(new Set(passed)).toEqual(new Set(['passed']));
      expect(passed.length).toBeGreaterThanOrEqual(2 * 24);
    },
  },
  {
    name: 'node:test',
    expected: 'the tests pass as generated',
    run: async () => {
      const project = await makeProject('node:test');
      const folder = await generate(project);
      const files = testFiles.map((file) => join(folder, file));
      const args = ['--import', 'tsx', '--test', '--test-reporter', 'tap', ...files];
      const result = await execa(process.execPath, args, { cwd: project, reject: false, env: withoutVitest });
      expect(result.exitCode, `${result.stdout}${result.stderr}`.slice(-4000)).toBe(0);
      expect(Number(/^# pass (\d+)$/m.exec(result.stdout)?.[1])).toBeGreaterThanOrEqual(24);
    },
  },
  {
    name: 'the programs',
    expected: 'load all they import, and say what they lack',
    run: async () => {
      const project = await makeProject('vitest');
      const folder = await generate(project);
      const start = async (file: string, env: Record<string, string>, ...args: readonly string[]) => {
        const command = ['--import', 'tsx', join(folder, file), ...args];
        const { exitCode, stderr } = await execa(process.execPath, command, {
          cwd: project,
          reject: false,
          env: { ...withoutVitest, ...env },
        });
        expect(exitCode, stderr).toBe(1);
        return stderr;
      };
      const noServer = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
      expect(await start('worker.ts', {})).toContain('set SERVICE_URL');
      expect(await start('worker.ts', { ...noServer, SERVICE_URL: 'http://127.0.0.1' })).toContain('ConnectionRefused');
      expect(await start('starter.ts', {})).toContain('--after 0 handles the whole log');
    },
  },
  ...faults.map((fault) => ({
    name: fault.name,
    expected: fault.foundBy === null ? 'no test fails' : 'the generated tests find it',
    run: async () => {
      const path = `faults/${fault.name.replaceAll(/\W+/g, '-')}/permit-review/${fault.tests}`;
      const file = (await runFaults(fault.tests)).get(path);
      const failed = file?.assertionResults.filter(({ status }) => status !== 'passed').map(({ title }) => title);
      if (fault.foundBy === null)
        return void expect({ status: file?.status, failed }).toEqual({ status: 'passed', failed: [] });
      expect(file?.status).toBe('failed');
      if (fault.foundBy !== 'file') expect(failed?.join('\n')).toContain(fault.foundBy);
      if (fault.message !== undefined) expect(file?.message).toContain(fault.message);
    },
  })),
];

const lacks = packages === undefined ? notInstalled('Temporal') : undefined;
describeRows(
  'Temporal',
  rows.map((row) => ({ ...row, lacks })),
);
