/**
 * The user's modules: TypeScript by jiti, which is loaded only for it, JavaScript by Node itself. `evstore` in a
 * TypeScript file is this evstore, wherever it is installed.
 */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
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
    return await whileLoading(() =>
      /\.[cm]?tsx?$/.test(file) ? importTypeScript(file) : import(pathToFileURL(file).href),
    );
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
    interopDefault: false,
    moduleCache: false,
    tsconfigPaths: true,
    // jiti's own default is shared by all users of the machine: another user could put code there.
    fsCache: makeCacheFolder('modules'),
    alias: { 'evstore/testing': ownModule('testing') },
    // Loaded once for all files; jiti, which caches no module here, would evaluate all of it for each.
    virtualModules: { evstore },
  });
  return await jiti.import(file);
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
  const name = module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
  return name === 'evstore' ? 'npm install --save-dev evstore' : `npm install ${name}`;
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
