/** Finds what makes a store unsafe or unusable without breaking it: the rights of its files. */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Finding } from '../../../domain/finding.js';
import { shellWord } from '../../../domain/shell-word.js';
import type { FileTarget } from '../connection/connection-url.js';

/** A file of the store, or its folder, where SQLite makes the other files. */
export interface FileRights {
  readonly path: string;
  readonly isFolder: boolean;
  /** The permission bits, as of chmod. */
  readonly mode: number;
  readonly isWritable: boolean;
}

export function findHealthFaults({ path: given, isMemory }: FileTarget): readonly Finding[] {
  if (isMemory || !existsSync(given)) return [];
  // SQLite makes its other files next to the file that a link leads to.
  const path = realpathSync(given);
  const places = [dirname(path), path, `${path}-wal`, `${path}-shm`];
  return judgeRights(places.flatMap((place, index) => readRights(place, index === 0)));
}

/** Nothing for a file that is not there: SQLite makes -wal and -shm when it needs them. */
function readRights(path: string, isFolder: boolean): readonly FileRights[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  try {
    accessSync(path, constants.W_OK);
    return [{ path, isFolder, mode: found.mode & 0o777, isWritable: true }];
  } catch {
    return [{ path, isFolder, mode: found.mode & 0o777, isWritable: false }];
  }
}

export function judgeRights(rights: readonly FileRights[]): readonly Finding[] {
  return [...rights.flatMap(judgeWritable), ...judgeOthers(rights.filter(({ isFolder }) => !isFolder))];
}

function judgeWritable({ path, isFolder, isWritable }: FileRights): readonly Finding[] {
  if (isWritable) return [];
  const detail = isFolder
    ? 'cannot be written by this account: SQLite cannot make its -wal and -shm files there, so the store can only be read'
    : 'cannot be written by this account: the store can only be read';
  const next = `ls -ld ${shellWord(path)}`;
  return [{ kind: 'file-rights', severity: 'warning', subject: path, detail, next }];
}

/** That others can read it is what most systems give a new file, and is not worth a word each time. */
function judgeOthers(files: readonly FileRights[]): readonly Finding[] {
  const writable = files.filter(({ mode }) => (mode & 0o002) !== 0);
  const [first] = writable;
  if (first === undefined) return [];
  const detail = 'can be written by every account of this machine: any of them can change events';
  const next = `chmod o-w ${writable.map(({ path }) => shellWord(path)).join(' ')}`;
  return [{ kind: 'file-rights', severity: 'warning', subject: first.path, detail, next }];
}
