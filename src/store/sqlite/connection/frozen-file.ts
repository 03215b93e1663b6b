/** Reads a store where SQLite cannot: it needs a journal next to the file, and the folder is read-only. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EvstoreError } from '../../../domain/errors.js';
import { shellWord } from '../../../domain/shell-word.js';
import type { FileTarget } from './connection-url.js';
import { resultCode } from './errors.js';

/** SQLite does not read more from memory. */
const maxBytes = 1024 ** 3;
/** Where a file says that it has a write-ahead log, which a copy in memory cannot have. */
const [journalModeAt, withoutLog] = [18, 1];
const cannotOpen = /^SQLITE_(CANTOPEN|READONLY_(DIRECTORY|CANTINIT|RECOVERY|ROLLBACK|CANTLOCK))/;

/** Returns true when an attempt to read the file failed because of its folder. */
export function failedByFolder(target: FileTarget, error: unknown): boolean {
  return cannotOpen.test(resultCode(error) ?? '') && isFolderReadOnly(target);
}

export function isFolderReadOnly({ path, isMemory }: FileTarget): boolean {
  if (isMemory) return false;
  try {
    accessSync(dirname(path), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

/**
 * Reads the whole file. Nothing of it is in a journal, so it is one state of the store.
 * @throws E_READ_ONLY when there is a journal, or the file is too large
 */
export function readFrozenFile(target: FileTarget, cause?: unknown): Buffer {
  const { path, location } = target;
  const before = stampOf(target);
  const journal = ['-wal', '-journal'].find((suffix) => sizeOf(path + suffix) > 0);
  if (journal !== undefined) {
    throw refuse(
      location,
      `${path}${journal} holds changes that are not in the file yet.`,
      [path, path + journal],
      cause,
    );
  }
  if (sizeOf(path) > maxBytes) throw refuse(location, 'Up to 1 GB is read without it.', [path], cause);
  const bytes = readFileSync(path);
  if (before !== stampOf(target)) throw refuse(location, 'The file changed while it was read.', [path], cause);
  if (bytes.length > journalModeAt + 1) bytes.fill(withoutLog, journalModeAt, journalModeAt + 2);
  return bytes;
}

/** Differs when the file was written, replaced or removed, or has a write-ahead log by now. */
export function stampOf({ path }: FileTarget): string {
  const file = statSync(path, { throwIfNoEntry: false, bigint: true });
  return file === undefined ? '' : [file.dev, file.ino, file.size, file.mtimeNs, sizeOf(`${path}-wal`) > 0].join(':');
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function refuse(location: string, why: string, files: readonly string[], cause: unknown): EvstoreError {
  return new EvstoreError('E_READ_ONLY', `the folder is read-only: ${location}`, {
    why: `SQLite needs a journal next to the file even for reading. ${why} Copy the store to a writable folder.`,
    next: `cp ${files.map(shellWord).join(' ')} .`,
    cause,
  });
}
