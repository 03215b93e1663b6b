/**
 * `.env` of the working directory, then that of the config's folder, with `${NAME}` and `$NAME` expanded as dotenv-expand
 * does. The environment wins over both.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EvstoreError } from '../domain/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value of a file, before anything in it is expanded. */
interface Entry {
  readonly name: string;
  readonly value: string;
  readonly folder: string;
  readonly file: string;
}

/**
 * @param folders the first one that has a value wins
 * @throws E_CONFIG when there is one that cannot be read, or that names a store in a way that is not understood
 */
export async function withDotenv(folders: readonly string[], cwd: string, env: Environment): Promise<Environment> {
  const texts = folders.map((folder) => ({ folder, file: join(folder, '.env'), text: readText(join(folder, '.env')) }));
  const there = texts.filter(({ text }) => text !== undefined);
  if (there.length === 0) return env;
  const [{ parse }, { expand }] = await Promise.all([import('dotenv'), import('dotenv-expand')]);
  const entries = new Map<string, Entry>();
  for (const { folder, file, text = '' } of there.reverse()) {
    for (const [name, value] of Object.entries(parse(text))) {
      if (namesStore(name, env)) assertNotCut(name, text, file);
      entries.set(name, { name, value, folder, file });
    }
  }
  const raw = Object.fromEntries([...entries.values()].map(({ name, value }) => [name, value]));
  const known = Object.fromEntries(
    Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined),
  );
  const { parsed = {} } = expand({ parsed: { ...raw }, processEnv: { ...known } });
  const before: Record<string, string> = {};
  for (const entry of entries.values()) {
    const { name, folder } = entry;
    const value = parsed[name] ?? '';
    if (namesStore(name, env)) {
      assertExpanded(entry, { ...before, ...known });
      if (folder !== cwd && name.endsWith('_URL')) parsed[name] = resolveStoreUrl(value, folder);
    }
    before[name] = value;
  }
  return { ...parsed, ...env };
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

/** Returns undefined when there is none. */
function readText(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('\0')) throw new Error('It is not UTF-8 but, for example, UTF-16: save it as UTF-8');
    // Editors of Windows begin the file with a byte order mark, which would be part of the first name.
    return text.replace(/^\uFEFF/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A directory of that name is somebody's virtual environment.
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined;
    throw new EvstoreError('E_CONFIG', `cannot read ${file}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

/** Returns true where a wrong value would be another store, or another password. */
function namesStore(name: string, env: Environment): boolean {
  return /^(EVSTORE_URL|DATABASE_URL|EVSTORE_SCHEMA|PG[A-Z]+)$/.test(name) && env[name] === undefined;
}

/** @throws E_CONFIG for a value that other readers of .env understand differently */
function assertNotCut(name: string, text: string, file: string): void {
  const [, value = ''] = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(.*)$`, 'm').exec(text) ?? [];
  if (!/^[^'"`\s#]+#/.test(value)) return;
  throw new EvstoreError('E_CONFIG', `${file}: the value of ${name} has a # and no quotes`, {
    why: 'What follows # is a comment, and the value would end there. Put the value in quotes.',
  });
}

/**
 * dotenv-expand puts nothing where a variable is not set, and expands a `$` in the value of a variable once more.
 * @throws E_CONFIG
 */
function assertExpanded({ name, value, file }: Entry, before: Environment): void {
  const references = value.matchAll(/(?<!\\)\$(?:\{([^{}]+)\}|([A-Za-z_][A-Za-z0-9_]*))/g);
  for (const [, braced, bare = ''] of references) {
    const [, variable = '', operator] = /^(.*?)(:?[-+].*)?$/s.exec(braced ?? bare) ?? [];
    const held = before[variable];
    if (held === undefined && operator === undefined) {
      throw new EvstoreError(
        'E_CONFIG',
        `${file}: the value of ${name} names the variable ${variable}, which is not set before it`,
        {
          why: `Set it, or write \\$ where a dollar sign belongs to the value.`,
        },
      );
    }
    if (held?.includes('$')) {
      throw new EvstoreError('E_CONFIG', `${file}: the value of ${name} contains that of ${variable}, which has a $`, {
        why: `What follows the dollar sign would be taken for a variable again. Write the value of ${name} in full.`,
      });
    }
  }
}
