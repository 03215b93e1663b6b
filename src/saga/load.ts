/** Loads the user's sagas: files → modules → exports marked as sagas → checks. */
import { type Kind, type Loaded, type LoadOptions, loadFiles } from '../config/load-files.js';
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { isMeantAsProjection } from '../projection/define/shape.js';
import type { SagaDefinition } from './definition.js';
import { definitionOf } from './identity.js';
import { checkSaga, isSaga } from './validate.js';

/** A saga and its file. */
export type LoadedSaga = SagaDefinition & {
  /** Absolute. */
  readonly file: string;
};

const kind: Kind<LoadedSaga> = {
  globs: 'sagas',
  read: sagasOf,
  clash: (a, b) => {
    const isTwice = a.name === b.name && a.version === b.version && !isSame(a, b);
    return isTwice ? `version ${a.version} of saga ${a.name}` : undefined;
  },
  isOther: (a, b) => a.version !== b.version,
};

/** Loads the sagas of all files. */
export function loadSagas(options: LoadOptions): Promise<Loaded<LoadedSaga>> {
  return loadFiles(options, kind);
}

function sagasOf(exports: Readonly<Record<string, unknown>>, file: string): readonly LoadedSaga[] {
  const sagas = new Set<SagaDefinition>();
  for (const [name, value] of Object.entries(exports)) {
    if (isSaga(value)) sagas.add(value);
    else if (isMeantAsSaga(value, name === 'default' && Object.keys(exports).length === 1)) {
      throw new EvstoreError('E_CONFIG', `${file}: export ${name} is not a saga`, {
        why: 'A saga is what defineSaga returns.',
      });
    }
  }
  return [...sagas].map((saga) => ({ ...checkIn(file, saga), file }));
}

/** Ignoring an object with a part of a saga, or the only thing that a file exports, would hide a mistake. */
function isMeantAsSaga(value: unknown, isOnly: boolean): boolean {
  if (isMeantAsProjection(value, false)) return false;
  if (typeof value !== 'object' || value === null) return isOnly && typeof value !== 'function';
  if ('kind' in value && (value.kind === 'aggregate' || value.kind === 'reaction')) return false;
  return isOnly || 'startOn' in value || 'steps' in value;
}

function checkIn(file: string, saga: SagaDefinition): SagaDefinition {
  try {
    return checkSaga(saga);
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    throw new EvstoreError(error.code, `${file}: ${error.message}`, error);
  }
}

/** TypeScript files are evaluated for each file that imports them, so a saga that is re-exported is another object. */
function isSame(a: SagaDefinition, b: SagaDefinition): boolean {
  const [one, other] = [a, b].map((saga) => {
    const { version, startOn, since, id, steps } = saga;
    const parts = steps.map((step) => Object.values(step).map(String));
    return JSON.stringify([version, startOn, since, String(id), definitionOf(saga), parts]);
  });
  return one === other;
}
