/**
 * What scaffolding makes compiles and its tests pass as generated: every kind of code, in projects with every kind of
 * modules, test runner and compiler flags. No word of the sample shop stays where the user has names.
 */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findJest } from '../environment/installed.js';
import { describeRows } from '../environment/row.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';
import { type MatrixProject, makeMatrix, nameOf, templates, testRunners } from './matrix.js';

allowMoreTime('a thousand files are compiled, and three runners run their tests');

const root = fileURLToPath(new URL('../..', import.meta.url));
const jest = findJest();

let packed: PackedPackage;
let base: string;
let projects: readonly MatrixProject[];
beforeAll(async () => {
  packed = await packPackage();
  const modules = join(packed.folder, 'node_modules');
  for (const name of ['vitest', '@types/node', '@types/better-sqlite3']) {
    linkPackage(join(root, 'node_modules'), modules, name);
  }
  if (jest !== undefined) linkPackage(join(jest, 'node_modules'), modules, '@jest/globals');
  base = join(packed.folder, 'matrix');
  projects = await makeMatrix(base);
});
afterAll(() => packed.remove());

function linkPackage(from: string, modules: string, name: string): void {
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  if (!existsSync(join(modules, name))) symlinkSync(join(from, name), join(modules, name), 'dir');
}

/** The sample's nouns and verbs, and what its data says. */
const shopWords =
  /order(?! by)|customer|\bada\b|total|paid|placed|shipped|shipment|stock|charge|credit|parcel|courier|amount|\bshop\b|4200|note/i;

test('the combinations are all there', () => {
  const combinations = projects.length * templates.length;
  expect(projects).toHaveLength(3 * 3 * 3);
  expect(combinations).toBe(27 * templates.length);
  // Each has the sample and names of the user's own, each a file and its test.
  const kept = projects.filter(({ files }) => files.length === 4 * templates.length);
  expect(kept).toHaveLength(24);
});

test('no word of the sample stays where the user has names', () => {
  const own = projects.flatMap(({ files }) => files.filter(({ variant }) => variant.name === 'permitReview'));
  expect(own).toHaveLength(27 * templates.length * 2);
  for (const { path, content } of own) {
    // The first comment says "in order".
    const words = content.replaceAll(/in the order|in order|after another/g, '');
    expect(shopWords.exec(words)?.[0], `${path}\n${content}`).toBeUndefined();
  }
});

test('it compiles', { timeout: 600_000 }, async () => {
  const folders = new Set(projects.flatMap(({ compiled }) => compiled ?? []));
  expect(folders.size).toBe(6);
  for (const folder of folders) {
    // Without jest its types are missing.
    const exclude = jest === undefined ? ['jest/**'] : [];
    if (exclude.length > 0) writeFileSync(join(folder, 'tsconfig.json'), await withoutJest(folder, exclude));
    const result = await execa(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { reject: false });
    expect(result.stdout).toBe('');
    expect(result.exitCode).toBe(0);
  }
  for (const { folder, runner, compiled } of projects) {
    if (compiled !== undefined && runner !== 'vitest') expect(existsSync(join(folder, 'projections'))).toBe(true);
  }
});

async function withoutJest(folder: string, exclude: readonly string[]): Promise<string> {
  const { default: config } = await import(join(folder, 'tsconfig.json'), { with: { type: 'json' } });
  return JSON.stringify({ ...config, exclude });
}

/** The folders with the JavaScript of each project of a runner. */
function foldersOf(runner: MatrixProject['runner']): readonly string[] {
  return projects
    .filter((project) => project.runner === runner)
    .map(({ folder, compiled }) => (compiled === undefined ? folder : join(compiled, 'out', nameOf(runner))));
}

/** The number of tests in the generated files, counted by their text: each step of a saga has one in a loop. */
function countTests(runner: MatrixProject['runner']): number {
  let count = 0;
  for (const { files } of projects.filter((project) => project.runner === runner)) {
    for (const { content } of files) {
      count += content.match(/^test\(/gm)?.length ?? 0;
      const [, steps = ''] = /^const steps = \[(.*)\]/m.exec(content) ?? [];
      if (steps !== '') count += steps.split(',').length;
    }
  }
  return count;
}

test('its tests pass in vitest', async () => {
  const config = join(base, 'vitest.config.mjs');
  writeFileSync(config, `export default ${JSON.stringify({ test: { include: ['*/vitest/all.*'], maxWorkers: 2 } })};`);
  const args = ['run', '--root', base, '--config', config, '--reporter', 'json'];
  const result = await execa(join(root, 'node_modules/.bin/vitest'), args, {
    cwd: base,
    reject: false,
    env: { NODE_OPTIONS: '' },
  });
  const report = JSON.parse(result.stdout.slice(result.stdout.indexOf('{')));
  expect(report, `${result.stdout.slice(0, 4000)}${result.stderr.slice(0, 4000)}`).toMatchObject({
    success: true,
    numFailedTests: 0,
    numPassedTests: countTests('vitest'),
  });
});

test('its tests pass in node:test', async () => {
  const files = foldersOf('node:test').map((folder) => join(folder, 'all.js'));
  const result = await execa(process.execPath, ['--test', '--test-reporter', 'tap', ...files], {
    cwd: base,
    reject: false,
    env: { NODE_OPTIONS: '' },
  });
  expect(result.exitCode, result.stdout.slice(0, 6000)).toBe(0);
  expect(result.stdout).toContain(`# pass ${countTests('node:test')}\n`);
});

describeRows('tests of generated code', [
  {
    name: 'jest',
    expected: 'its tests pass',
    lacks: jest === undefined ? 'jest; run npm run test:environment:install' : undefined,
    run: async () => {
      const config = {
        rootDir: base,
        testMatch: foldersOf('jest').map((folder) => join(folder, 'all.js')),
        transform: {},
      };
      writeFileSync(join(base, 'jest.config.json'), JSON.stringify(config));
      const program = join(jest ?? '', 'node_modules/jest/bin/jest.js');
      const args = [
        '--experimental-vm-modules',
        program,
        '--config',
        join(base, 'jest.config.json'),
        '--json',
        '-w',
        '2',
      ];
      const result = await execa(process.execPath, args, { cwd: base, reject: false, env: { NODE_OPTIONS: '' } });
      const report = JSON.parse(result.stdout.slice(result.stdout.indexOf('{')));
      expect(report, result.stderr.slice(0, 6000)).toMatchObject({
        success: true,
        numFailedTests: 0,
        numPassedTests: countTests('jest'),
      });
    },
  },
]);

test('evstore loads it, however the project writes modules', async () => {
  const ways = new Map(
    projects.map((project) => [JSON.stringify([project.style.modules, project.style.extension]), project]),
  );
  expect(ways.size).toBe(6);
  for (const { folder, files } of ways.values()) {
    const store = ['--store', `sqlite:${join(folder, 'store.db')}`];
    await packed.evstore(['init', '--no-config', ...store], { cwd: folder });
    const { code, stdout, stderr } = await packed.evstore(['projections', '--json', ...store], { cwd: folder });
    expect(code, `${folder}\n${stderr}`).toBe(0);
    const { projections } = JSON.parse(stdout);
    const names = projections.map(({ name }: { readonly name: string }) => name);
    expect(names, `${folder}\n${stdout}\n${stderr}`).toHaveLength(
      files.filter(({ template }) => template.folder === 'projection').length / 2,
    );
    const ran = await packed.evstore(['run', '--once', '--sagas', ...store], { cwd: folder });
    expect(ran.code, `${folder}\n${ran.stderr}`).toBe(0);
  }
});

test('every runner has projects in every language', () => {
  for (const runner of testRunners) {
    const styles = projects.filter((project) => project.runner === runner).map(({ style }) => style);
    expect(new Set(styles.map(({ language }) => language)).size).toBe(2);
  }
});
