/** Writes planned files: below the folder given and nowhere else, over nothing unless told to, all of them or none. */
import { randomBytes } from 'node:crypto';
import {
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import type { PlannedFile } from './plan.js';

export interface WriteOptions {
  /** Where the project is; nothing is written outside. Absolute. */
  readonly root: string;
  /** Below `root`, relative. */
  readonly folder: string;
  /** Replace files that are there. */
  readonly force: boolean;
}

/**
 * Paths as they would be written, relative to `root`.
 * @throws E_USAGE when a path leads out of `root`, through a symbolic link, or to something that is there
 */
export function checkTargets(files: readonly PlannedFile[], { root, folder, force }: WriteOptions): readonly string[] {
  const target = resolve(root, folder);
  const inside = relative(resolve(root), target);
  if (isAbsolute(folder) || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw refused(
      `${folder} is not a folder below this one`,
      'Code is generated below the folder the command runs in.',
    );
  }
  refuseLinks(resolve(root), inside.split(sep).filter(Boolean));
  return files.map(({ name }) => {
    const path = join(inside, name);
    const known = lstatSync(join(target, name), { throwIfNoEntry: false });
    if (known === undefined) return path;
    if (!known.isFile()) throw refused(`${path} is there and is no ordinary file`, 'It is not replaced.');
    if (!force)
      throw refused(`${path} is there already`, 'Generated code never replaces a file unless --force is given.');
    return path;
  });
}

/** @throws as `checkTargets`, and E_OUTPUT when the disk refuses: then nothing is left behind */
export function writeFiles(files: readonly PlannedFile[], options: WriteOptions): readonly string[] {
  const paths = checkTargets(files, options);
  const target = resolve(options.root, options.folder);
  const undo: (() => void)[] = [];
  try {
    const madeFolder = mkdirSync(target, { recursive: true });
    if (madeFolder !== undefined) undo.push(() => rmSync(madeFolder, { recursive: true }));
    refuseLinks(realpathSync(options.root), relative(options.root, target).split(sep).filter(Boolean));
    const suffix = randomBytes(6).toString('hex');
    const drafts = files.map(({ name, content }) => {
      const draft = join(target, `.${name}.${suffix}`);
      writeFileSync(draft, content, { flag: 'wx' });
      undo.push(() => rmSync(draft, { force: true }));
      return { draft, path: join(target, name) };
    });
    for (const { draft, path } of drafts) undo.push(place(draft, path, options.force));
    for (const { draft } of drafts) for (const spare of [draft, keptName(draft)]) rmSync(spare, { force: true });
    return paths;
  } catch (error) {
    for (const step of undo.reverse()) step();
    if (error instanceof EvstoreError) throw error;
    throw new EvstoreError('E_OUTPUT', `cannot write to ${options.folder}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

/**
 * Without `force` it is copied only where nothing is, whoever else writes at the same moment; with it, what was there is
 * kept until all files stand. What comes back takes it away again.
 */
function place(draft: string, path: string, force: boolean): () => void {
  const remove = () => rmSync(path, { force: true });
  if (!force) {
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
    return remove;
  }
  const had = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  if (had) renameSync(path, keptName(draft));
  renameSync(draft, path);
  return had ? () => renameSync(keptName(draft), path) : remove;
}

function keptName(draft: string): string {
  return `${draft}.old`;
}

/** A link inside the project may lead anywhere. */
function refuseLinks(root: string, parts: readonly string[]): void {
  let path = root;
  for (const part of parts) {
    path = join(path, part);
    const known = lstatSync(path, { throwIfNoEntry: false });
    if (known === undefined) return;
    if (!known.isDirectory()) {
      throw refused(`${relative(root, path)} is no ordinary folder`, 'Code is not generated through a symbolic link.');
    }
  }
}

function refused(what: string, why: string): EvstoreError {
  return new EvstoreError('E_USAGE', what, { why });
}
