/** A program of this repository as JavaScript in a folder of its own: starts in a tenth of the time of its source. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiled = new Map<string, string>();

/** One thing made wrong on purpose: the file as it is compiled, from the root, and what becomes of a place in it. */
export interface Mutation {
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
}

/**
 * @param entry from the root of the repository, e.g. `bin/evstore.ts`
 * @returns the path of the compiled program; its folder goes with this process
 */
export function compileProgram(entry: string): string {
  const known = compiled.get(entry);
  if (known !== undefined) return known;
  const folder = makeFolder();
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = { rootDir: root, outDir: folder, declaration: false, noCheck: true };
  const typeRoots = [join(root, 'node_modules/@types')];
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { ...compilerOptions, typeRoots },
      // Nothing imports what runs in a thread of its own.
      files: [entry, 'src/projection/fold/threads/fold-worker.ts', 'src/store/sqlite/log/import-worker.ts'].map(
        (file) => join(root, file),
      ),
      include: [],
    }),
  );
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], { stdio: 'pipe' });
  cpSync(join(root, 'src/store'), join(folder, 'src/store'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.sql'),
  });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const program = join(folder, entry.replace(/\.ts$/, '.js'));
  compiled.set(entry, program);
  return program;
}

/**
 * The same program with something made wrong. A place that is not there is an error, so that no mutant is the original.
 * @param mutations of the compiled files
 */
export function compileMutant(entry: string, mutations: readonly Mutation[]): string {
  const name = JSON.stringify([entry, mutations.map(({ file, from, to }) => [file, String(from), to])]);
  const known = compiled.get(name);
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
  compiled.set(name, program);
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
