/**
 * The user's modules: TypeScript by jiti, which is loaded only for it, JavaScript by Node itself. `evstore` in a
 * TypeScript file is this evstore, wherever it is installed.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EvstoreError } from '../domain/errors.js';
import { makeCacheFolder } from '../terminal/cache-folder.js';
import { Unfinished, whileLoading } from '../terminal/user-code.js';

/**
 * What the module exports.
 * @param file absolute
 * @throws E_CONFIG with file, line and reason when it cannot be compiled or one of its imports is missing
 * @throws E_HANDLER when its code throws
 * @throws E_UNFINISHED when it never finishes
 */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await whileLoading(() => (isTypeScript(file) ? importTypeScript(file) : import(pathToFileURL(file).href)));
  } catch (error) {
    throw describeFailure(file, error instanceof SyntaxError ? await withPlace(file, error) : error);
  }
}

/** Node.js keeps the place of a syntax error to itself; the compiler for TypeScript tells it. */
async function withPlace(file: string, error: SyntaxError): Promise<SyntaxError> {
  try {
    const { createJiti } = await import('jiti');
    const source = await readFile(file, 'utf8');
    const compiled = createJiti(file, { fsCache: false }).transform({ source, filename: file, async: true });
    const [, fault = '{}'] = /__JITI_ERROR__ = (\{.*\})/.exec(compiled) ?? [];
    const { line, column } = JSON.parse(fault) as { line?: number; column?: number };
    return line === undefined
      ? error
      : new SyntaxError(`${error.message} (line ${line}, column ${column})`, { cause: error });
  } catch {
    return error;
  }
}

async function importTypeScript(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { createJiti } = await import('jiti');
  const evstore = await import(pathToFileURL(ownModule('index')).href);
  const jiti = createJiti(pathToFileURL(file).href, {
    ...jitiOptions,
    // jiti's own default is shared by all users of the machine: another user could put code there.
    fsCache: makeCacheFolder('modules'),
    alias: { 'evstore/testing': ownModule('testing') },
    // Loaded once for all files; jiti, which caches no module here, would evaluate all of it for each.
    virtualModules: { evstore },
  });
  return toNamespace(await jiti.import(file));
}

/** `export = x` and `module.exports = x` are the default export too, as Node.js has it for JavaScript in CommonJS. */
function toNamespace(loaded: unknown): Readonly<Record<string, unknown>> {
  if (typeof loaded !== 'object' || loaded === null) return { default: loaded };
  const isNamespace = '__esModule' in loaded || Object.prototype.toString.call(loaded) === '[object Module]';
  if (isNamespace || Object.keys(loaded).length === 0) return loaded as Readonly<Record<string, unknown>>;
  return { ...loaded, default: loaded };
}

const jitiOptions = { interopDefault: false, moduleCache: false, tsconfigPaths: true } as const;

/**
 * Returns the file that an import leads to; null for a module of Node or of a package.
 * @param file absolute, of the module that imports
 * @throws E_CONFIG when it leads to no file
 */
export async function resolveImport(file: string, specifier: string): Promise<string | null> {
  const isRelative = /^\.{0,2}\//.test(specifier);
  if (isBuiltin(specifier) || /^evstore(\/|$)/.test(specifier)) return null;
  if (!isRelative && (!isTypeScript(file) || isInstalled(file, specifier))) return null;
  const found = isTypeScript(file) ? await resolveAsJiti(file, specifier) : new URL(specifier, pathToFileURL(file));
  const path = found === undefined ? undefined : fileURLToPath(found);
  if (path !== undefined && existsSync(path)) return path;
  if (!isRelative) return null;
  throw new EvstoreError('E_CONFIG', `${file} imports ${specifier}, which is not there`);
}

/** A package of the same repository may be a link here, and a copy where the program is deployed. */
function isInstalled(file: string, specifier: string): boolean {
  const name = packageNameOf(specifier);
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules', name))) return true;
    if (folder === dirname(folder)) return false;
  }
}

async function resolveAsJiti(file: string, specifier: string): Promise<string | undefined> {
  const { createJiti } = await import('jiti');
  const parentURL = pathToFileURL(file).href;
  return createJiti(parentURL, { ...jitiOptions, fsCache: false }).esmResolve(specifier, { parentURL, try: true });
}

function isTypeScript(file: string): boolean {
  return /\.[cm]?tsx?$/.test(file);
}

/** This module's own neighbour, in the form it runs in: `.js` when installed, `.ts` under a test runner. */
function ownModule(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../${name}.${extension}`, import.meta.url));
}

function describeFailure(file: string, error: unknown): EvstoreError {
  if (error instanceof Unfinished) {
    return new EvstoreError('E_UNFINISHED', `${relative(process.cwd(), file)} never finished loading`, {
      why: `It ${error.message}, e.g. in a top-level await. Wait for it in a function that is called later.`,
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const [, named = '.'] = /['"]([^'"]+)['"]/.exec(message) ?? [];
    return new EvstoreError('E_CONFIG', `${file} imports something that is not there`, {
      why: `${firstLine(message)}.`,
      next: howToInstall(named),
      cause: error,
    });
  }
  if (error instanceof SyntaxError || message.startsWith('ParseError')) {
    // jiti puts the place on a line of its own.
    const parts = message.replace(/^ParseError:/, '').split('\n');
    const why = parts.flatMap((part) => part.trim() || []).join(' at ');
    return new EvstoreError('E_CONFIG', `${file} cannot be compiled`, { why: `${why}.`, cause: error });
  }
  return new EvstoreError('E_HANDLER', `${file} threw while it was loaded`, {
    why: `${firstLine(message)}${placeOf(error, file)}.`,
    cause: error,
  });
}

/** @param module as it was imported. Undefined for a file, which nothing installs */
function howToInstall(module: string): string | undefined {
  if (/^[./]|^file:|^[A-Za-z]:/.test(module)) return undefined;
  const name = packageNameOf(module);
  return name === 'evstore' ? 'npm install --save-dev evstore' : `npm install ${name}`;
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/\.$/, '');
}

/** ` (line 12)`, when the stack passes through the file. */
function placeOf(error: unknown, file: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const at = stack.split('\n').find((line) => line.includes(file));
  const line = at === undefined ? undefined : /:(\d+):\d+\)?$/.exec(at.trim())?.[1];
  return line === undefined ? '' : ` (line ${line})`;
}
