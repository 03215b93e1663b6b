/** Loads the user's aggregates: files → modules → exports marked as aggregates → checked and prepared. */
import { type Kind, type Loaded, type LoadOptions, loadFiles } from '../config/load-files.js';
import type { SourceHash } from '../domain/code-identity.js';
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { SourceReader } from '../projection/define/source-hash.js';
import { type PreparedAggregate, prepareAggregate } from './prepare.js';
import { isAggregate } from './validate.js';

/** An aggregate and its file. */
export type LoadedAggregateCode = PreparedAggregate & {
  /** Absolute. */
  readonly file: string;
};

/** Loads the aggregates of all files. */
export function loadAggregates(options: LoadOptions): Promise<Loaded<LoadedAggregateCode>> {
  const sources = new SourceReader();
  const kind: Kind<LoadedAggregateCode> = {
    globs: 'aggregates',
    read: (exports, file) => prepareExports(exports, file, sources),
    clash: (a, b) => (a.name === b.name && !isSame(a, b) ? `aggregate ${a.name}` : undefined),
  };
  return loadFiles(options, kind);
}

async function prepareExports(
  exports: Readonly<Record<string, unknown>>,
  file: string,
  sources: SourceReader,
): Promise<readonly LoadedAggregateCode[]> {
  const loaded = new Map<unknown, LoadedAggregateCode>();
  for (const [name, value] of Object.entries(exports)) {
    if (isAggregate(value)) {
      if (loaded.has(value)) continue;
      const source = await sources.hash(file, name);
      loaded.set(value, { ...prepareIn(file, value, source), file });
    } else if (isMeantAsAggregate(value, name === 'default' && Object.keys(exports).length === 1)) {
      throw new EvstoreError('E_CONFIG', `${file}: export ${name} is not an aggregate`, {
        why: 'An aggregate is what defineAggregate returns.',
      });
    }
  }
  return [...loaded.values()];
}

/** Ignoring an object with a part of an aggregate, or the only thing that a file exports, would hide a mistake. */
function isMeantAsAggregate(value: unknown, isOnly: boolean): boolean {
  if (typeof value !== 'object' || value === null) return isOnly && typeof value !== 'function';
  return (isOnly && !('kind' in value)) || 'evolve' in value || 'decide' in value;
}

function prepareIn(file: string, value: unknown, source: SourceHash | undefined): PreparedAggregate {
  try {
    return prepareAggregate(value, { source });
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    throw new EvstoreError(error.code, `${file}: ${error.message}`, error);
  }
}

/** TypeScript files are evaluated for each file that imports them, so one that is re-exported is another object. */
function isSame(a: PreparedAggregate, b: PreparedAggregate): boolean {
  const [one, other] = [a, b].map(({ definition }) =>
    JSON.stringify(definition, (_key, value) => (typeof value === 'function' ? String(value) : value)),
  );
  return a.version === b.version && a.codeHash === b.codeHash && one === other;
}
