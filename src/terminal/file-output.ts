/** The file of an export. A plain file appears when it is complete: it is written under a temporary name, then renamed. */
import { once } from 'node:events';
import { constants, createWriteStream, type Stats } from 'node:fs';
import { access, chmod, chown, lstat, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { EvstoreError } from '../domain/errors.js';

export interface FileOutput {
  /** Resolves when more may be written. @throws E_OUTPUT */
  write(text: string | Uint8Array): Promise<void>;
  /** Gives the file its name. @throws E_OUTPUT */
  finish(): Promise<void>;
  /** Leaves no temporary file behind; never throws. */
  discard(): Promise<void>;
}

/**
 * @param path compressed when it ends in `.gz`. A plain file is replaced at the end, with its mode and owner; a device, a
 * pipe and a file of several names are written to as they are, and so is the target of a link
 * @throws E_OUTPUT for a directory, and for a file that may not be written
 */
export async function createFileOutput(path: string, cwd: string): Promise<FileOutput> {
  const { target, before, inPlace } = await findTarget(resolve(cwd, path)).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  const temporary = inPlace ? undefined : join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  const input = new PassThrough();
  const file = createWriteStream(temporary ?? target, {
    flush: !inPlace,
    ...(before && { mode: before.mode & 0o777 }),
  });
  const written = path.endsWith('.gz') ? pipeline(input, createGzip(), file) : pipeline(input, file);
  const done = written.catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  // The next call of write or finish throws it.
  done.catch(() => {});
  return {
    write: async (text) => {
      if (input.destroyed) await done;
      // A failure destroys the input too: the error of `done` is the one that names the file.
      if (text.length > 0 && !input.write(text)) await Promise.race([once(input, 'drain').catch(() => done), done]);
    },
    finish: async () => {
      input.end();
      await done;
      if (temporary === undefined) return;
      try {
        if (before !== undefined) await keepAccess(temporary, before);
        await rename(temporary, target);
      } catch (error) {
        throw cannotWrite(path, error);
      }
    },
    discard: async () => {
      input.destroy();
      await done.catch(() => {});
      if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
    },
  };
}

interface Target {
  readonly target: string;
  /** Of the file that is there. */
  readonly before: Stats | undefined;
  /** No temporary file: what is there stays the same file. */
  readonly inPlace: boolean;
}

async function findTarget(path: string): Promise<Target> {
  const link = await lstat(path).catch(() => undefined);
  if (link === undefined) return { target: path, before: undefined, inPlace: false };
  const before = await stat(path).catch(() => undefined);
  // A link to a file that is not there yet.
  if (before === undefined) return { target: path, before, inPlace: true };
  if (before.isDirectory()) throw new Error('it is a directory');
  await access(path, constants.W_OK);
  if (!before.isFile() || before.nlink > 1) return { target: path, before, inPlace: true };
  return { target: await realpath(path), before, inPlace: false };
}

async function keepAccess(file: string, { mode, uid, gid }: Stats): Promise<void> {
  // Only root may give a file to another account; the mode is set after it, which would reset parts of it.
  await chown(file, uid, gid).catch(() => {});
  await chmod(file, mode & 0o7777);
}

function cannotWrite(path: string, error: unknown): EvstoreError {
  return new EvstoreError('E_OUTPUT', `cannot write ${path}`, {
    why: error instanceof Error ? `${error.message}.` : undefined,
    cause: error,
  });
}
