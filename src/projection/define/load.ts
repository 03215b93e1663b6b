/** Loads the user's projections: files → modules → exports that look like a projection → checked and prepared. */
import { relative } from 'node:path';
import { findFiles } from '../../config/find-files.js';
import { importModule } from '../../config/import-module.js';
import type { SourceHash } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import { type PreparedProjection, prepareProjection } from './prepare.js';
import { findShapeFaults, isMeantAsProjection, looksLikeProjection, toProjection } from './shape.js';
import { SourceReader } from './source-hash.js';

export interface LoadOptions {
  /** Globs of the projection files. Default: the folder `projections`. */
  readonly globs: string | readonly string[] | undefined;
  /** The globs are relative to this folder. */
  readonly folder: string;
  /** Called before each file is executed. */
  readonly note: (line: string) => Promise<void>;
  /** Ends the search for files. */
  readonly signal?: AbortSignal;
  /** Is told of a file that cannot be loaded; the others are. Without it the error is thrown. */
  readonly failed?: ((error: EvstoreError) => void) | undefined;
}

/** A projection and its file. */
export type LoadedProjection = PreparedProjection & {
  /** Absolute. */
  readonly file: string;
};

/**
 * Returns the projections of all files, sorted by name.
 * @throws E_CONFIG for a file that cannot be compiled, a wrong shape, or two projections with the same name or table
 * @throws E_HANDLER for a file that throws while it is loaded
 */
export async function loadProjections({
  globs = 'projections',
  folder,
  note,
  signal,
  failed,
}: LoadOptions): Promise<readonly LoadedProjection[]> {
  const found = new Map<string, LoadedProjection>();
  const sources = new SourceReader();
  for (const file of await findFiles(globs, folder, signal)) {
    await note(`loading ${relative(folder, file)}`);
    const loaded = await loadFile(file, sources).catch((error: EvstoreError) => {
      if (failed === undefined) throw error;
      failed(error);
      return [];
    });
    for (const projection of loaded) {
      const other = [...found.values()].find((each) => each.name === projection.name || sharesTable(each, projection));
      if (other !== undefined && !isSame(other, projection)) throw collision(other, projection);
      found.set(projection.name, projection);
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the projections of one file; throws as `loadProjections`. @param file absolute */
export async function loadFile(file: string, sources = new SourceReader()): Promise<readonly LoadedProjection[]> {
  const loaded: LoadedProjection[] = [];
  for (const [value, name] of findExports(await importModule(file))) {
    loaded.push(prepareExport(value, name, file, await sources.hash(file, name)));
  }
  return loaded;
}

/** A value exported under two names, such as a default export that also has a name, is one projection. */
function findExports(exports: Readonly<Record<string, unknown>>): ReadonlyMap<object, string> {
  const named = new Map<object, string>();
  const isOnly = Object.keys(exports).length === 1;
  for (const [name, value] of Object.entries(exports)) {
    const isOne = looksLikeProjection(value) || (name === 'default' && isMeantAsProjection(value, isOnly));
    if (isOne && !named.has(value)) named.set(value, name);
  }
  return named;
}

function prepareExport(value: object, name: string, file: string, source: SourceHash | undefined): LoadedProjection {
  const [fault] = findShapeFaults(value);
  if (fault !== undefined) {
    throw new EvstoreError('E_CONFIG', `${file}: export ${name} is not a valid projection`, { why: `Its ${fault}.` });
  }
  try {
    return { ...prepareProjection(toProjection(value), source), file };
  } catch (error) {
    throw new EvstoreError('E_HANDLER', `${file}: export ${name} failed while its tables were described`, {
      why: error instanceof Error ? `${error.message}.` : String(error),
      cause: error,
    });
  }
}

/** Files may re-export a projection of another file. */
function isSame(a: PreparedProjection, b: PreparedProjection): boolean {
  return a.version === b.version && a.codeHash === b.codeHash && textOf(a) === textOf(b);
}

/** Returns a text that differs when other functions were loaded, in one process. */
export function textOf({ definition }: PreparedProjection): string {
  return JSON.stringify(definition, (_key, value) => (typeof value === 'function' ? String(value) : value));
}

function sharesTable(a: PreparedProjection, b: PreparedProjection): boolean {
  return a.tables.some((table) => b.tables.includes(table));
}

function collision(a: LoadedProjection, b: LoadedProjection): EvstoreError {
  const what =
    a.name === b.name ? `projection ${a.name}` : `table ${a.tables.find((table) => b.tables.includes(table))}`;
  return new EvstoreError('E_CONFIG', `${what} is defined twice`, { why: `In ${a.file} and in ${b.file}.` });
}
