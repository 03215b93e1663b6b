/** Parses `sqlite:PATH` and checks the file. */
import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { EvstoreError } from '../../../domain/errors.js';
import { shellWord } from '../../../domain/shell-word.js';
import { beginningOf } from '../../redact-url.js';

export interface FileTarget {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  readonly isMemory: boolean;
  readonly location: string;
}

/**
 * @param create whether a missing file will be created
 * @throws E_CONFIG, E_NO_SCHEMA when the file is missing and will not be created
 */
export function parseConnectionUrl(url: string, create: boolean): FileTarget {
  const given = url.replace(/^sqlite:(?:\/\/(?=\/|\.))?/i, '');
  if (given === ':memory:') return { path: given, isMemory: true, location: 'sqlite::memory:' };
  if (given.trim() === '' || given.includes('\0') || /^[a-z][a-z0-9+.-]*:\/\//i.test(given)) {
    throw new EvstoreError('E_CONFIG', `not the URL of a store: ${beginningOf(url)}`, {
      why: 'A SQLite store is sqlite:PATH, for instance sqlite:./evstore.db.',
    });
  }
  if (/^sqlite:\/\/[^/.]/i.test(url)) {
    throw new EvstoreError('E_CONFIG', `${beginningOf(url)} has no path`, {
      why: `After // a URL names a host, and SQLite has none: write sqlite:${given.slice(2)}, or sqlite:/${given} for a file at the root.`,
    });
  }
  const target = { path: resolve(given), isMemory: false, location: `sqlite:${given}` };
  checkFile(target, create);
  return target;
}

function checkFile({ path, location }: FileTarget, create: boolean): void {
  const file = look(() => statSync(path, { throwIfNoEntry: false }), location);
  if (file === undefined) {
    checkSpelling(location);
    if (!create) throw missing(location);
    // No file is created through a link: it would appear in a place that was not named.
    if (look(() => lstatSync(path, { throwIfNoEntry: false }), location)?.isSymbolicLink()) {
      throw new EvstoreError('E_CONFIG', `${location} is a symbolic link to nothing`, {
        why: 'evstore does not create a store through a link.',
      });
    }
    return;
  }
  if (file.isFile()) {
    checkPermission(path, location);
    return;
  }
  throw new EvstoreError('E_CONFIG', `${location} is ${describeKind(file)}, not a file`, {
    why: 'A SQLite store is one ordinary file.',
  });
}

/** A file may have such a name. One that is missing was more probably meant as a URL of another kind. */
function checkSpelling(location: string): void {
  const [parameters] = /\?[a-z_]+=.*$/i.exec(location) ?? [];
  if (parameters !== undefined) {
    throw new EvstoreError('E_CONFIG', `a SQLite store takes no parameters, and ${parameters} is one`, {
      why: `There is no file of that name. The store is ${location.slice(0, -parameters.length)}.`,
    });
  }
  if (!/%[0-9a-f]{2}/i.test(location)) return;
  throw new EvstoreError('E_CONFIG', `the path in ${location} is percent-encoded`, {
    why: 'There is no file of that name. A path is taken as it is written: write a blank as a blank, in quotes.',
  });
}

/** SQLite would say only that it cannot open the file. */
function checkPermission(path: string, location: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new EvstoreError('E_PERMISSION', `this user may not read ${location}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      next: `ls -l ${shellWord(path)}`,
      cause: error,
    });
  }
}

/** Returns undefined when nothing is there. */
function look(at: () => Stats | undefined, location: string): Stats | undefined {
  try {
    return at();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return undefined;
    throw new EvstoreError('E_CONNECT', `cannot open ${location}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

function missing(location: string): EvstoreError {
  return new EvstoreError('E_NO_SCHEMA', `there is no store at ${location}`, {
    why: 'The file does not exist, and reading does not create it.',
    next: `evstore init --store ${shellWord(location)}`,
  });
}

function describeKind(file: Stats): string {
  if (file.isDirectory()) return 'a directory';
  if (file.isFIFO()) return 'a pipe';
  return file.isSocket() ? 'a socket' : 'a device';
}
