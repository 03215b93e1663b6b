/** Scratch stores: files next to the file of the store, on the same file system. */
import { accessSync, constants, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { shellWord } from '../../domain/shell-word.js';
import { isScratchName, newScratchName, notScratch } from '../shared/scratch.js';
import type { ScratchStores, Store } from '../store.js';
import { type FileTarget, parseConnectionUrl } from './connection/connection-url.js';
import { Database } from './connection/database.js';
import { isRetryable } from './connection/errors.js';

/** A file of SQLite, and what it keeps next to it. */
const suffixes = ['', '-wal', '-shm', '-journal'];

export interface ScratchOptions {
  readonly target: FileTarget;
  readonly assertWritable: () => void;
  readonly open: (path: string, create: boolean) => Promise<Store>;
}

export function openScratchStores({ target, assertWritable, open }: ScratchOptions): ScratchStores {
  const remove = async (name: string) => {
    assertWritable();
    const path = pathOf(target, name);
    try {
      for (const suffix of suffixes) rmSync(path + suffix, { force: true });
    } catch (error) {
      throw folderDenied('remove a file from', target, error);
    }
  };
  const assertPossible = async () => {
    assertWritable();
    assertFolderWritable(target);
  };
  return {
    place: () => (target.isMemory ? target.location : `a file of its own next to ${target.location}`),

    list: async () => {
      if (target.isMemory) return [];
      const names = listFolder(target).filter((name) => isNameOf(target, name));
      return names.map((name) => ({ name, bytes: sizeOf(target, name), isInUse: isInUse(target, name) }));
    },

    assertPossible,

    async make() {
      await assertPossible();
      const name = `${basename(realpathSync(target.path))}.${newScratchName()}`;
      const path = pathOf(target, name);
      try {
        const store = await open(path, true);
        await store.schema.migrate().finally(() => store.close());
      } catch (error) {
        await remove(name);
        throw error;
      }
      return { name, open: () => open(path, false) };
    },

    remove,
  };
}

/** `shop.db.evstore_bench_0123456789ab`. */
function isNameOf({ path }: FileTarget, name: string): boolean {
  const beginning = `${basename(realpathSync(path))}.`;
  return name.startsWith(beginning) && isScratchName(name.slice(beginning.length));
}

/** @throws E_USAGE */
function pathOf(target: FileTarget, name: string): string {
  if (!isNameOf(target, name)) throw notScratch(name);
  return join(folderOf(target), name);
}

/** Of the file itself, where the path is a link. */
function folderOf({ path }: FileTarget): string {
  return dirname(realpathSync(path));
}

function assertFolderWritable(target: FileTarget): void {
  if (target.isMemory) {
    throw new EvstoreError('E_USAGE', 'a store in memory has no file to measure', {
      why: 'A scratch store is a file next to that of the store.',
      next: 'evstore bench --store sqlite:./evstore.db',
    });
  }
  try {
    accessSync(folderOf(target), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderDenied('create a file in', target, error);
  }
}

/** @throws E_PERMISSION: a folder that cannot be listed may have some */
function listFolder(target: FileTarget): readonly string[] {
  try {
    return readdirSync(folderOf(target)).sort();
  } catch (error) {
    throw folderDenied('list', target, error);
  }
}

function folderDenied(what: string, target: FileTarget, error: unknown): EvstoreError {
  return new EvstoreError('E_PERMISSION', `this user may not ${what} ${folderOf(target)}`, {
    why: 'A scratch store is a file next to that of the store, which is removed at the end.',
    next: `ls -ld ${shellWord(folderOf(target))}`,
    cause: error,
  });
}

function sizeOf(target: FileTarget, name: string): number {
  const sizes = suffixes.map((suffix) => {
    return statSync(join(folderOf(target), name + suffix), { throwIfNoEntry: false })?.size ?? 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Leaving the write-ahead log needs the file alone. The locks of a process that was killed are gone.
 * @throws E_PERMISSION when this user may not tell
 */
function isInUse(target: FileTarget, name: string): boolean {
  try {
    const database = new Database(parseConnectionUrl(`sqlite:${join(folderOf(target), name)}`, false), false, false);
    try {
      database.execute('pragma journal_mode = delete');
      return false;
    } finally {
      database.close();
    }
  } catch (error) {
    if (isEvstoreError(error) && error.code === 'E_PERMISSION') throw error;
    return isRetryable(error);
  }
}
