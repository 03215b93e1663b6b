/** The projections a command works with: loaded from the user's files, chosen by name. */
import { relative } from 'node:path';
import { allOf, type Loaded, type LoadFailure, type LoadOptions } from '../../src/config/load-files.js';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { selectByName } from '../../src/domain/similar.js';
import { count } from '../../src/domain/words.js';
import { type LoadedProjection, loadProjections } from '../../src/projection/define/load.js';
import type { Context, Flags } from '../options/command.js';
import { sayIfSlow } from './say-if-slow.js';

/** Every projection of `--projections`, of the config, or of the folder `projections`. Executes these files. */
export async function loadCode(context: Context, flags: Flags): Promise<Loaded<LoadedProjection>> {
  const { cwd } = context.io;
  const globs = flags.projections as readonly string[] | undefined;
  const config = globs === undefined ? await context.config() : { projections: globs, folder: cwd };
  return loadFrom(context, flags, { globs: config.projections, folder: config.folder }, loadProjections);
}

export async function loadFrom<Item>(
  context: Context,
  flags: Flags,
  place: Pick<LoadOptions, 'globs' | 'folder'>,
  load: (options: LoadOptions) => Promise<Loaded<Item>>,
): Promise<Loaded<Item>> {
  const { signal } = context.io;
  return sayIfSlow(context, flags, (note) => load({ ...place, note, signal }));
}

/**
 * Returns the projections of these names, or all. A file that cannot be loaded does not stop work on projections of other
 * files that are named.
 * @throws E_NOT_FOUND for a name no file has, and when there is no projection at all
 */
export async function selectCode(
  context: Context,
  flags: Flags,
  names: readonly string[],
): Promise<readonly LoadedProjection[]> {
  const none = {
    what: 'no projection found',
    why: "Neither --projections, nor the config's projections, nor the folder projections holds one.",
    next: 'evstore scaffold projection NAME',
  };
  return selectNamed(context, names, await loadCode(context, flags), none);
}

/** As `selectCode`, for one name. */
export async function selectOne(context: Context, flags: Flags, name: string): Promise<LoadedProjection> {
  const [projection] = await selectCode(context, flags, [name]);
  if (projection === undefined) throw new EvstoreError('E_BUG', 'no projection was chosen');
  return projection;
}

/** As `selectCode`; undefined when no file has that name. */
export async function findCode(context: Context, flags: Flags, name: string): Promise<LoadedProjection | undefined> {
  const [found] = await findAllCode(context, flags, [name]);
  return found;
}

/** As `selectCode`; passes over names that no file has. @throws when one may be in a file that cannot be loaded */
export async function findAllCode(
  context: Context,
  flags: Flags,
  names: readonly string[],
): Promise<readonly LoadedProjection[]> {
  const loaded = await loadCode(context, flags);
  await tellFailures(context, names, loaded);
  return loaded.found.filter(({ name }) => names.includes(name));
}

/** What is thrown when there is nothing at all. */
interface Nothing {
  readonly what: string;
  readonly why?: string;
  readonly next: string;
}

/**
 * Returns those of these names, or all.
 * @throws E_NOT_FOUND, or an error that names the files that cannot be loaded: the name may be in one of them
 */
export async function selectNamed<Named extends { readonly name: string }>(
  context: Context,
  names: readonly string[],
  loaded: Loaded<Named>,
  none: Nothing,
): Promise<readonly Named[]> {
  if (names.length === 0) allOf(loaded);
  await tellFailures(context, names, loaded);
  const without = describeWithout(loaded, context.io.cwd);
  if (loaded.found.length === 0)
    throw new EvstoreError('E_NOT_FOUND', none.what, { why: join(none.why, without), next: none.next });
  try {
    return selectByName(loaded.found, names, ({ name }) => name);
  } catch (error) {
    if (!isEvstoreError(error) || without === undefined) throw error;
    throw new EvstoreError(error.code, error.message, { ...error, why: join(error.why, without), cause: error });
  }
}

function join(...sentences: readonly (string | undefined)[]): string {
  return sentences.filter((each) => each !== undefined).join(' ');
}

/** Names the files that were executed and export none of what was looked for. */
export function describeWithout({ without }: Loaded<unknown>, cwd: string, what = 'none'): string | undefined {
  const [first, ...others] = without.map((file) => relative(cwd, file));
  if (first === undefined) return undefined;
  if (others.length === 0) return `${first} exports ${what}.`;
  return others.length > 4
    ? `${first} and ${count(others.length, 'other file')} export ${what}.`
    : `${[first, ...others].join(', ')} export ${what}.`;
}

/** Warns of the files that cannot be loaded. @throws when a name that was not found may be in one of them */
export async function tellFailures(
  context: Context,
  names: readonly string[],
  { found, failures }: Loaded<{ readonly name: string }>,
): Promise<void> {
  const missing = names.find((name) => !found.some((each) => each.name === name));
  if (missing !== undefined && failures.length > 0) throw notFoundElsewhere(missing, failures);
  for (const { error } of failures) await context.warn(describeFailure(error));
}

function notFoundElsewhere(name: string, failures: readonly LoadFailure[]): EvstoreError {
  const [first] = failures as [LoadFailure];
  const files = [...new Set(failures.map(({ file }) => file))];
  return new EvstoreError(first.error.code, `${name} may be in a file that cannot be loaded`, {
    why: failures.map(({ error }) => `${describeFailure(error).replace(/\.$/, '')}.`).join('\n'),
    next: first.error.next,
    details: { name, files },
    cause: first.error,
  });
}

export function describeFailure({ message, why }: EvstoreError): string {
  return why === undefined ? message : `${message}: ${why}`;
}
