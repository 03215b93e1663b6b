/** The files that GitHub reads: it tells of a mistake in them only after they are pushed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const files = readdirSync(join(root, '.github'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yml'))
  .map((path) => join('.github', path));
const manifest = JSON.parse(read('package.json'));

interface Job {
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
}

function jobsOf(workflow: string): Readonly<Record<string, Job>> {
  return parse(read(`.github/workflows/${workflow}.yml`)).jobs;
}

/** The combinations of a matrix that run. */
function combinationsOf({ exclude = [], ...axes }: Readonly<Record<string, readonly unknown[]>>) {
  const all = Object.entries(axes).reduce<Record<string, unknown>[]>(
    (some, [name, values]) => some.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    [{}],
  );
  const left = exclude as readonly Record<string, unknown>[];
  return all.filter((each) => !left.some((out) => Object.entries(out).every(([name, value]) => each[name] === value)));
}

test.each(files)('%s is YAML', (file) => {
  expect(parse(read(file), { strict: true, uniqueKeys: true })).toBeTypeOf('object');
});

test('CI runs each supported version of Node and Postgres, on three systems', () => {
  const { linux, 'other-systems': others } = jobsOf('ci');
  const onLinux = combinationsOf(linux?.strategy?.matrix ?? {});
  const valuesOf = (name: string) => [...new Set(onLinux.map((each) => each[name]))].sort();
  expect(valuesOf('node')).toEqual([20, 22, 24]);
  expect(valuesOf('postgres')).toEqual([14, 15, 16, 17, 18]);
  const systems = combinationsOf(others?.strategy?.matrix ?? {}).map(({ os }) => os);
  expect(new Set(systems)).toEqual(new Set(['macos-latest', 'windows-latest']));
  expect(manifest.engines.node).toMatch(/^>=20\./);
});

test.each(['ci', 'release'])('every npm script that %s runs exists', (workflow) => {
  const commands = Object.values(jobsOf(workflow)).flatMap(({ steps }) => steps.flatMap(({ run = '' }) => run));
  const scripts = commands.flatMap((command) => [...command.matchAll(/npm run (\S+)/g)].map(([, name = '']) => name));
  expect(scripts).toContain('check');
  expect(scripts.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
});

test('a release is published with provenance', () => {
  const { publish } = parse(read('.github/workflows/release.yml')).jobs;
  expect(publish.permissions['id-token']).toBe('write');
  expect(publish.steps.map(({ run }: { run?: string }) => run)).toContain('npm publish --provenance --access public');
});

test('what the package is said to hold is there', () => {
  const missing = manifest.files.filter((path: string) => path !== 'dist' && !existsSync(join(root, path)));
  expect(missing).toEqual([]);
});
