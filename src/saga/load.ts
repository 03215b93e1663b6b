/** Loads the user's sagas: files → modules → exports marked as sagas → checks. */
import { relative } from 'node:path';
import { findFiles } from '../config/find-files.js';
import { importModule } from '../config/import-module.js';
import { EvstoreError } from '../domain/errors.js';
import { isMeantAsProjection } from '../projection/define/shape.js';
import type { Saga } from './definition.js';
import { checkSaga, isSaga } from './validate.js';

export interface LoadSagasOptions {
  /** Globs of saga files. Default: the folder `sagas`. */
  readonly globs: string | readonly string[] | undefined;
  /** The globs are relative to it. */
  readonly folder: string;
  /** Called with each file before it is executed. */
  readonly note: (line: string) => Promise<void>;
  /** Ends the search for files. */
  readonly signal?: AbortSignal;
  /** Is told of a file that cannot be loaded; the others are. Without it the error is thrown. */
  readonly failed?: ((error: EvstoreError) => void) | undefined;
}

/** A saga and its file. */
export type LoadedSaga = Saga & {
  /** Absolute. */
  readonly file: string;
};

/**
 * Returns the sagas, ordered by name.
 * @throws E_CONFIG for a file that cannot be compiled, a wrong shape, two sagas of one name
 * @throws E_HANDLER for a file that throws while it is loaded
 */
export async function loadSagas({
  globs = 'sagas',
  folder,
  note,
  signal,
  failed,
}: LoadSagasOptions): Promise<readonly LoadedSaga[]> {
  const found = new Map<string, { readonly saga: Saga; readonly file: string }>();
  for (const file of await findFiles(globs, folder, signal)) {
    await note(`loading ${relative(folder, file)}`);
    const loaded = await loadFile(file).catch((error: EvstoreError) => {
      if (failed === undefined) throw error;
      failed(error);
      return [];
    });
    for (const saga of loaded) {
      const other = found.get(saga.name);
      if (other !== undefined && other.saga !== saga) {
        throw new EvstoreError('E_CONFIG', `saga ${saga.name} is defined twice`, {
          why: `In ${other.file} and in ${file}.`,
        });
      }
      found.set(saga.name, { saga, file });
    }
  }
  return [...found.values()].map(({ saga, file }) => ({ ...saga, file })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function loadFile(file: string): Promise<readonly Saga[]> {
  const exports = await importModule(file);
  const sagas = Object.values(exports).filter(isSaga);
  const [only, ...others] = Object.entries(exports);
  const isWrong = only?.[0] === 'default' && others.length === 0 && typeof only[1] === 'object' && sagas.length === 0;
  if (isWrong && !isMeantAsProjection(only[1], false)) {
    throw new EvstoreError('E_CONFIG', `${file}: the default export is not a saga`, {
      why: 'A saga is what defineSaga returns.',
    });
  }
  return sagas.map((saga) => checkIn(file, saga));
}

function checkIn(file: string, saga: Saga): Saga {
  try {
    return checkSaga(saga);
  } catch (error) {
    if (!(error instanceof EvstoreError)) throw error;
    throw new EvstoreError(error.code, `${file}: ${error.message}`, error);
  }
}
