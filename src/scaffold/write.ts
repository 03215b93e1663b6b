/** Writes planned files: only below the given folder, without overwriting unless forced, all files or none. */
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
  /** The project's folder, absolute. Nothing is written outside it. */
  readonly root: string;
  /** Relative to `root`, and below it. */
  readonly folder: string;
  /** Replace existing files. */
  readonly force: boolean;
}

/**
 * Returns the paths that would be written, relative to `root`.
 * @throws E_USAGE when a path is outside `root`, passes through a symbolic link, or exists
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
    if (!known.isFile()) throw refused(`${path} exists and is not a regular file`, 'It is not replaced.');
    if (!force) throw new FileExists(path);
    return path;
  });
}

/** The command may offer to replace it. */
export class FileExists extends EvstoreError {
  constructor(path: string) {
    super('E_USAGE', `${path} exists`, {
      why: 'Generated code replaces a file only with --force, which shows a diff.',
    });
  }
}

/** @throws as `checkTargets`, and E_OUTPUT when a write fails; then no file is left behind */
export function writeFiles(files: readonly PlannedFile[], options: WriteOptions): void {
  checkTargets(files, options);
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
 * Without `force` a file is copied only if none exists, even when another process writes at the same moment; with `force`
 * the old file is kept until all files are written. Returns a function that undoes the write.
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

/** A symbolic link inside the project may point anywhere. */
function refuseLinks(root: string, parts: readonly string[]): void {
  let path = root;
  for (const part of parts) {
    path = join(path, part);
    const known = lstatSync(path, { throwIfNoEntry: false });
    if (known === undefined) return;
    if (!known.isDirectory()) {
      throw refused(
        `${relative(root, path)} is not a regular folder`,
        'Code is not generated through a symbolic link.',
      );
    }
  }
}

function refused(what: string, why: string): EvstoreError {
  return new EvstoreError('E_USAGE', what, { why });
}
