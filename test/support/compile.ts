/** The programs of this repository as JavaScript: they start in a tenth of the time of their source. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
const mutants = new Map<string, string>();

/** One thing made wrong on purpose: the file as it is compiled, from the root, and what becomes of a place in it. */
export interface Mutation {
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
}

/**
 * @param entry from the root of the repository, e.g. `bin/evstore.ts`
 * @returns the path of the compiled program
 */
export function compileProgram(entry: string): string {
  return join(compileOnce(), entry.replace(/\.ts$/, '.js'));
}

let compiledFolder: string | undefined;

/** All programs are compiled together, once for a test run: the first test process that needs one does it. */
function compileOnce(): string {
  compiledFolder ??=
    process.env.EVSTORE_TEST_SCRATCH === undefined ? compileAll() : compileFor(process.env.EVSTORE_TEST_SCRATCH);
  return compiledFolder;
}

function compileFor(run: string): string {
  const shared = join(run, 'programs');
  if (existsSync(shared)) return shared;
  const folder = compileAll();
  try {
    renameSync(folder, shared);
  } catch (error) {
    // Another test process compiled them at the same time.
    if (!existsSync(shared)) throw error;
  }
  return shared;
}

function compileAll(): string {
  const folder = makeFolder();
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = { rootDir: root, outDir: folder, declaration: false, noCheck: true };
  const typeRoots = [join(root, 'node_modules/@types')];
  // No program imports the files that run in threads of their own, nor what user code imports as evstore.
  const programs = [
    'bin',
    'src/index.ts',
    'src/testing.ts',
    'src/**/*-worker.ts',
    'test/support/workers',
    'test/**/programs',
  ];
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { ...compilerOptions, typeRoots },
      include: programs.map((path) => join(root, path)),
    }),
  );
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], { stdio: 'pipe' });
  cpSync(join(root, 'src/store'), join(folder, 'src/store'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.sql'),
  });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}

/**
 * The same program with something made wrong. A place that is not there is an error, so that no mutant is the original.
 * @param mutations of the compiled files
 */
export function compileMutant(entry: string, mutations: readonly Mutation[]): string {
  const name = JSON.stringify([entry, mutations.map(({ file, from, to }) => [file, String(from), to])]);
  const known = mutants.get(name);
  if (known !== undefined) return known;
  const original = compileProgram(entry);
  const place = entry.replace(/\.ts$/, '.js');
  const folder = makeFolder();
  cpSync(original.slice(0, -place.length), folder, { recursive: true, verbatimSymlinks: true });
  for (const { file, from, to } of mutations) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const changed = text.replace(from, () => to);
    if (changed === text) throw new Error(`${file} has no "${from}" to change:\n${text}`);
    writeFileSync(path, changed);
  }
  const program = join(folder, place);
  mutants.set(name, program);
  return program;
}

/** Test processes are ended without a last word: what they leave goes with the folder of the run. */
function makeFolder(): string {
  const folder = mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? tmpdir(), 'evstore-program-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // Some of these programs run under another account.
  chmodSync(folder, 0o755);
  return folder;
}
