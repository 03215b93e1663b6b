/** Loads the user's projections: files → modules → exports that look like a projection → checked and prepared. */
import { importModule } from '../../config/import-module.js';
import { type Kind, type Loaded, type LoadOptions, loadFiles } from '../../config/load-files.js';
import type { SourceHash } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import { type PreparedProjection, prepareProjection } from './prepare.js';
import { findShapeFaults, isMeantAsProjection, looksLikeProjection, toProjection } from './shape.js';
import { SourceReader } from './source-hash.js';

/** A projection and its file. */
export type LoadedProjection = PreparedProjection & {
  /** Absolute. */
  readonly file: string;
};

/** Loads the projections of all files. */
export function loadProjections(options: LoadOptions): Promise<Loaded<LoadedProjection>> {
  const sources = new SourceReader();
  const kind: Kind<LoadedProjection> = {
    globs: 'projections',
    read: (exports, file) => prepareExports(exports, file, sources),
    clash: (a, b) => {
      if (a.name === b.name) return isSame(a, b) ? undefined : `projection ${a.name}`;
      const table = a.tables.find((each) => b.tables.includes(each));
      return table === undefined ? undefined : `table ${table}`;
    },
  };
  return loadFiles(options, kind);
}

/**
 * Returns the projections of one file.
 * @param file absolute
 * @throws E_CONFIG when it cannot be compiled, or for a wrong shape
 * @throws E_HANDLER when it throws while it is loaded
 */
export async function loadFile(file: string): Promise<readonly LoadedProjection[]> {
  return prepareExports(await importModule(file), file, new SourceReader());
}

async function prepareExports(
  exports: Readonly<Record<string, unknown>>,
  file: string,
  sources: SourceReader,
): Promise<readonly LoadedProjection[]> {
  const loaded: LoadedProjection[] = [];
  for (const [value, name] of findExports(exports)) {
    loaded.push(prepareExport(value, name, file, await sources.hash(file, name)));
  }
  return loaded;
}

/** A value exported under two names, such as a default export that also has a name, is one projection. */
function findExports(exports: Readonly<Record<string, unknown>>): ReadonlyMap<unknown, string> {
  const named = new Map<unknown, string>();
  const isOnly = Object.keys(exports).length === 1;
  for (const [name, value] of Object.entries(exports)) {
    const isOne = looksLikeProjection(value) || (name === 'default' && isMeantAsProjection(value, isOnly));
    if (isOne && !named.has(value)) named.set(value, name);
  }
  return named;
}

function prepareExport(value: unknown, name: string, file: string, source: SourceHash | undefined): LoadedProjection {
  const [fault] = findShapeFaults(value);
  if (fault !== undefined) {
    throw new EvstoreError('E_CONFIG', `${file}: export ${name} is not a valid projection`, { why: `Its ${fault}.` });
  }
  try {
    return { ...prepareProjection(toProjection(value as object), source), file };
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
