/** Finds the files a project's globs mean, with `/` between folders on every system. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';

const moduleFile = /\.[cm]?[jt]s$/;
/** Declarations and tests lie beside the code and are none of it. */
const notCode = /\.d\.[cm]?ts$|\.(?:test|spec)\.[cm]?[jt]s$/;

/**
 * Returns the TypeScript and JavaScript files that match, absolute, sorted, each once. A glob that is the path of a file
 * or folder means that file, or every file below that folder. Passes over folders named `node_modules` or beginning with
 * a dot.
 * @param signal checked at each folder, because `/**` may take long
 */
export async function findFiles(
  globs: string | readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const glob of [globs].flat()) {
    const { start, matches } = await readGlob(withSlashes(glob), folder);
    for await (const file of modulesBelow(start, [], signal)) if (matches(file)) files.add(file);
  }
  return [...files].sort();
}

/**
 * Returns whether one of the globs means the file, which need not exist.
 * @param file absolute
 */
export async function isFoundBy(globs: string | readonly string[], folder: string, file: string): Promise<boolean> {
  const path = withSlashes(file);
  if (!isModule(path)) return false;
  for (const glob of [globs].flat()) {
    const { start, matches } = await readGlob(withSlashes(glob), folder);
    if ((path === start || path.startsWith(`${start.replace(/\/$/, '')}/`)) && matches(path)) return true;
  }
  return false;
}

/** Where to look, and which of the files there to take. */
async function readGlob(glob: string, folder: string): Promise<{ start: string; matches: (file: string) => boolean }> {
  const path = withSlashes(resolve(folder, glob));
  const wildcard = glob.search(/[*?{[(]/);
  if (wildcard === -1 || (await kindOf(path)) !== undefined) return { start: path, matches: () => true };
  // The folders before the first wildcard are not part of the pattern: any character may be in their names.
  const fixed = glob.lastIndexOf('/', wildcard) + 1;
  const start = withSlashes(resolve(folder, glob.slice(0, fixed)));
  // It matches in linear time, however many stars there are, which a regular expression does not.
  const { Minimatch } = await import('minimatch');
  const pattern = new Minimatch(glob.slice(fixed), { dot: true, nocomment: true, nonegate: true });
  return { start, matches: (file) => pattern.match(file.slice(start.length).replace(/^\//, '')) };
}

/** The file itself, or the module files below the folder. @param above the real paths of the folders it is in */
async function* modulesBelow(path: string, above: readonly string[], signal?: AbortSignal): AsyncGenerator<string> {
  const kind = await kindOf(path);
  if (kind === 'file' && isModule(path)) yield path;
  if (kind !== 'folder') return;
  signal?.throwIfAborted();
  const real = await realpath(path);
  // A link to a folder above would never end.
  if (above.includes(real)) return;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    if (entry.isFile() && !isModule(entry.name)) continue;
    yield* modulesBelow(posix.join(path, entry.name), [...above, real], signal);
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return 'folder';
  return found?.isFile() ? 'file' : undefined;
}

function isModule(path: string): boolean {
  return moduleFile.test(path) && !notCode.test(path);
}

function withSlashes(path: string): string {
  return path.replaceAll('\\', '/');
}
