/** A file that appears whole or not at all: written under a temporary name beside it, then renamed. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
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
  /** Leaves nothing behind; never throws. */
  discard(): Promise<void>;
}

/** @param path compressed when it ends in `.gz`; a file of that name is replaced at the end */
export function createFileOutput(path: string, cwd: string): FileOutput {
  const target = resolve(cwd, path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  const input = new PassThrough();
  const file = createWriteStream(temporary, { flush: true });
  const written = target.endsWith('.gz') ? pipeline(input, createGzip(), file) : pipeline(input, file);
  const done = written.catch((error: unknown) => {
    throw new EvstoreError('E_OUTPUT', `cannot write ${path}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  });
  // Whoever writes or finishes next hears of it.
  done.catch(() => {});
  return {
    write: async (text) => {
      if (input.destroyed) await done;
      if (text.length > 0 && !input.write(text)) await Promise.race([once(input, 'drain'), done]);
    },
    finish: async () => {
      input.end();
      await done;
      await rename(temporary, target);
    },
    discard: async () => {
      input.destroy();
      await done.catch(() => {});
      await rm(temporary, { force: true }).catch(() => {});
    },
  };
}
