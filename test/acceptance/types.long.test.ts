/** The package as the compilers and audits of its users read it. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

const root = fileURLToPath(new URL('../..', import.meta.url));
const compilers = { 'TypeScript 7': 'typescript/bin/tsc', 'TypeScript 6': '@typescript/typescript6/bin/tsc6' };

/** How users set their compiler up, and the ending of a file that is of this kind. */
const setups = {
  'nodenext, ES module': { module: 'nodenext', ending: 'mts' },
  'nodenext, CommonJS': { module: 'nodenext', ending: 'cts' },
  'node16, ES module': { module: 'node16', ending: 'mts' },
  'node16, CommonJS': { module: 'node16', ending: 'cts' },
  'bundler, ES module': { module: 'preserve', ending: 'mts' },
  'bundler, CommonJS': { module: 'preserve', ending: 'cts' },
};

let packed: PackedPackage;
let dist: string;
beforeAll(async () => {
  packed = await packPackage();
  dist = join(packed.folder, 'node_modules/evstore/dist');
  mkdirSync(join(packed.folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(root, 'node_modules/@types/node'), join(packed.folder, 'node_modules/@types/node'), 'dir');
});
afterAll(() => packed.remove());

/** The names that a declaration file exports, and those it declares. */
function namesIn(file: string): { readonly exported: string[]; readonly types: string[]; readonly declared: string[] } {
  const text = readFileSync(join(dist, 'src', file), 'utf8');
  const lists = [...text.matchAll(/^export (type )?\{ (.*) \};$/gm)];
  const inLists = (type: boolean) =>
    lists.filter(([, isType]) => (isType !== undefined) === type).flatMap(([, , list = '']) => list.split(', '));
  return {
    exported: [...inLists(false), ...inLists(true)],
    types: inLists(true),
    declared: [...text.matchAll(/^(?:declare )?(?:interface|type|class) (\w+)/gm)].map(([, name = '']) => name),
  };
}

it('the package has one declaration file per entry and kind of module', () => {
  const files = readdirSync(dist, { recursive: true }).map((file) => String(file).replaceAll('\\', '/'));
  expect(files.filter((file) => /\.d\.[cm]?ts$/.test(file)).sort()).toEqual([
    'src/index.d.cts',
    'src/index.d.ts',
    'src/testing.d.cts',
    'src/testing.d.ts',
  ]);
});

it.each(['index', 'testing'])('every type that the declarations of %s mention can be imported', (entry) => {
  const { exported, types, declared } = namesIn(`${entry}.d.ts`);
  expect(types.length).toBeGreaterThan(5);
  expect(declared.filter((name) => !exported.includes(name))).toEqual([]);
});

describe.each(Object.entries(compilers))('%s', (compiler, path) => {
  it.each(Object.entries(setups))('%s: a strict program compiles, with declarations', async (setup, options) => {
    const { module, ending } = options;
    const folder = join(packed.folder, `${compiler} ${setup}`);
    mkdirSync(folder);
    copyFileSync(join(root, 'test/acceptance/consumer/program.ts'), join(folder, `program.${ending}`));
    const imports = (entry: string, from: string) =>
      `export type { ${namesIn(entry).types.join(', ')} } from '${from}';`;
    writeFileSync(
      join(folder, `types.${ending}`),
      [imports('index.d.ts', 'evstore'), imports('testing.d.ts', 'evstore/testing'), ''].join('\n'),
    );
    const compilerOptions = {
      module,
      target: 'es2022',
      lib: ['es2023'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      declaration: true,
      outDir: 'out',
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const compiled = await execa(process.execPath, [join(root, 'node_modules', path), '-p', folder], { reject: false });
    expect(compiled.stdout + compiled.stderr).toBe('');
    if (module === 'preserve' && ending === 'cts') return;
    const program = join(folder, `out/program.${ending.replace('ts', 'js')}`);
    const run = await execa(process.execPath, [program], { reject: false });
    expect(run, run.stderr).toMatchObject({ exitCode: 0, stdout: 'everything works' });
  });
});

it('both kinds of module get the same evstore', async () => {
  const script =
    "import * as own from 'evstore'; import { createRequire } from 'node:module';" +
    " const other = createRequire(import.meta.url)('evstore');" +
    ' process.stdout.write(String(own.EvstoreError === other.EvstoreError && own.sql === other.sql));';
  writeFileSync(join(packed.folder, 'both.mjs'), script);
  const { stdout } = await execa(process.execPath, [join(packed.folder, 'both.mjs')]);
  expect(stdout).toBe('true');
});

it('every package whose code is joined into the program is a dependency, so that audits see it', () => {
  const joined = [...readFileSync(join(dist, 'LICENCES.txt'), 'utf8').matchAll(/^(\S+) \d+\.\d+\.\d+ \(/gm)];
  expect(joined.length).toBeGreaterThan(5);
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const unseen = joined.map(([, name]) => name).filter((name) => packages[`node_modules/${name}`]?.dev !== undefined);
  expect(unseen).toEqual([]);
});

it('the schemas of reports are in the package, each found by its name', async () => {
  const names = readdirSync(join(root, 'schemas'));
  const script = `console.log(${JSON.stringify(names)}.map((name) => require('evstore/schemas/' + name).$id).join())`;
  const { stdout } = await execa(process.execPath, ['-e', script], { cwd: packed.folder });
  expect(stdout.split(',').map((id) => id.split('/').at(-1))).toEqual(names);
});
