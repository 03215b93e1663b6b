/** Loads the user's sagas: files → modules → exports marked as sagas → checks. */
import { relative } from 'node:path';
import { findFiles } from '../config/find-files.js';
import { importModule } from '../config/import-module.js';
import { EvstoreError } from '../domain/errors.js';
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
}: LoadSagasOptions): Promise<readonly LoadedSaga[]> {
  const found = new Map<string, { readonly saga: Saga; readonly file: string }>();
  for (const file of await findFiles(globs, folder, signal)) {
    await note(`loading ${relative(folder, file)}`);
    for (const saga of Object.values(await importModule(file)).filter(isSaga)) {
      const other = found.get(checkIn(file, saga).name);
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

function checkIn(file: string, saga: Saga): Saga {
  try {
    return checkSaga(saga);
  } catch (error) {
    if (!(error instanceof EvstoreError)) throw error;
    throw new EvstoreError(error.code, `${file}: ${error.message}`, error);
  }
}
