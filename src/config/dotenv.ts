/** `.env` of the working directory, then that of the config's folder. The environment wins over both. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { EvstoreError } from '../domain/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What evstore reads from it: a wrong value would be another store, or another password. */
const storeNames = ['EVSTORE_URL', 'DATABASE_URL', 'EVSTORE_SCHEMA', 'PGPASSWORD'];

/**
 * @param folders the first one that has a value wins
 * @throws E_CONFIG when there is one that cannot be read, or that names a store in a way that is not understood
 */
export function withDotenv(folders: readonly string[], cwd: string, env: Environment): Environment {
  const found = folders.map((folder) => readDotenv(folder, cwd, env)).reverse();
  return Object.assign({}, ...found, env);
}

/** The Postgres driver reads `PGHOST` and its kind from the process, not from us. */
export function adoptPostgresVariables(env: Environment): void {
  for (const [name, value] of Object.entries(env)) {
    if (/^PG[A-Z]+$/.test(name) && value !== undefined) process.env[name] ??= value;
  }
}

/** Returns the URL with the path of a SQLite file made absolute, unless it is relative to the working directory. */
export function resolveStoreUrl(url: string, folder: string): string {
  const [, path = ''] = /^sqlite:(?:\/\/(?=\/|\.))?(.*)$/is.exec(url) ?? [];
  if (path === '' || path === ':memory:' || path.startsWith('//') || folder === process.cwd()) return url;
  return `sqlite:${resolve(folder, path)}`;
}

function readDotenv(folder: string, cwd: string, env: Environment): Environment {
  const file = join(folder, '.env');
  let text: string;
  try {
    // Editors of Windows begin the file with a byte order mark, which would be part of the first name.
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A directory of that name is somebody's virtual environment.
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return {};
    throw new EvstoreError('E_CONFIG', `cannot read ${file}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
  const found: Record<string, string | undefined> = parseEnv(text);
  for (const name of storeNames.filter((each) => found[each] !== undefined && env[each] === undefined)) {
    checkValue(name, text, file);
    if (folder !== cwd && name.endsWith('_URL')) found[name] = resolveStoreUrl(found[name] ?? '', folder);
  }
  return found;
}

/** @throws E_CONFIG for a value that other readers of .env understand differently */
function checkValue(name: string, text: string, file: string): void {
  const [, value = ''] = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(.*)$`, 'm').exec(text) ?? [];
  if (/^[^'"\s#]+#/.test(value)) {
    throw new EvstoreError('E_CONFIG', `${file}: the value of ${name} has a # and no quotes`, {
      why: 'What follows # is a comment, and the value would end there. Put the value in quotes.',
    });
  }
  if (!value.startsWith("'") && value.includes('${')) {
    throw new EvstoreError('E_CONFIG', `${file}: the value of ${name} names another variable`, {
      why: 'evstore does not put variables together. Write the value in full, or in single quotes if ${ belongs to it.',
    });
  }
}
