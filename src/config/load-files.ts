/** Loads what the user's files export: files → modules → exports of one kind. A file that fails does not stop the others. */
import { relative } from 'node:path';
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { findFiles } from './find-files.js';
import { importModule } from './import-module.js';

export interface LoadOptions {
  /** Globs of the files; the folder of their kind unless set. */
  readonly globs: string | readonly string[] | undefined;
  /** The globs are relative to this folder. */
  readonly folder: string;
  /** Called before each file is executed. */
  readonly note: (line: string) => Promise<void>;
  /** Ends the search for files. */
  readonly signal?: AbortSignal;
}

export interface Loaded<Item> {
  /** Sorted by name. */
  readonly found: readonly Item[];
  readonly failures: readonly LoadFailure[];
  /** Absolute; files that export none. */
  readonly without: readonly string[];
}

/** A file that cannot be loaded, or that defines again what another file defines. */
export interface LoadFailure {
  /** Absolute. */
  readonly file: string;
  readonly error: EvstoreError;
}

/** What is looked for in the files. */
export interface Kind<Item> {
  readonly globs: string;
  /** @throws E_CONFIG, E_HANDLER */
  readonly read: (
    exports: Readonly<Record<string, unknown>>,
    file: string,
  ) => readonly Item[] | Promise<readonly Item[]>;
  /** Names what both define; undefined when they do not clash. Files may re-export what another exports. */
  readonly clash: (a: Item, b: Item) => string | undefined;
  /** Returns true for two of one name that are both wanted, such as two versions. Default: there are none. */
  readonly isOther?: (a: Item, b: Item) => boolean;
}

interface Named {
  readonly name: string;
  readonly file: string;
}

export async function loadFiles<Item extends Named>(
  { globs, folder, note, signal }: LoadOptions,
  kind: Kind<Item>,
): Promise<Loaded<Item>> {
  const found: Item[] = [];
  const failures: LoadFailure[] = [];
  const without: string[] = [];
  /** Which of the two is meant cannot be known. */
  const ambiguous = new Set<Item>();
  for (const file of await findFiles(globs ?? kind.globs, folder, signal)) {
    await note(`loading ${relative(folder, file)}`);
    try {
      const items = await kind.read(await importModule(file), file);
      if (items.length === 0) without.push(file);
      for (const item of items) {
        const others = found.filter((each) => kind.clash(each, item) !== undefined);
        for (const other of others) {
          failures.push({ file, error: definedTwice(kind.clash(other, item) ?? item.name, other, item) });
          ambiguous.add(other).add(item);
        }
        const isKnown = found.some((each) => each.name === item.name && !(kind.isOther?.(each, item) ?? false));
        if (others.length > 0 || !isKnown) found.push(item);
      }
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
      failures.push({ file, error });
    }
  }
  const sure = found.filter((item) => !ambiguous.has(item));
  return { found: sure.sort((a, b) => (a.name < b.name ? -1 : 1)), failures, without };
}

/** Returns what was loaded. @throws the error of the first file that failed */
export function allOf<Item>({ found, failures }: Loaded<Item>): readonly Item[] {
  const [first] = failures;
  if (first !== undefined) throw first.error;
  return found;
}

function definedTwice(what: string, a: Named, b: Named): EvstoreError {
  return new EvstoreError('E_CONFIG', `${what} is defined twice`, { why: `In ${a.file} and in ${b.file}.` });
}
