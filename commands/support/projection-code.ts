/** The projections a command works with: loaded from the user's files, chosen by name. */

import { EvstoreError } from '../../src/domain/errors.js';
import { selectByName } from '../../src/domain/similar.js';
import { type LoadedProjection, loadProjections } from '../../src/projection/define/load.js';
import type { Context, Flags } from '../options/command.js';
import { sayIfSlow } from './say-if-slow.js';

/**
 * Every projection of `--projections`, of the config, or of the folder `projections`. Executes these files.
 * @param failed is told of a file that cannot be loaded; without it the error is thrown
 */
export async function loadCode(
  context: Context,
  flags: Flags,
  failed?: (error: EvstoreError) => void,
): Promise<readonly LoadedProjection[]> {
  const { cwd, signal } = context.io;
  const globs = flags.projections as readonly string[] | undefined;
  const config = globs === undefined ? await context.config() : { projections: globs, folder: cwd };
  return sayIfSlow(context, flags, (note) => {
    return loadProjections({ globs: config.projections, folder: config.folder, note, signal, failed });
  });
}

/**
 * As `loadCode`; those of these names, or all. A file that cannot be loaded does not stop work on projections of other
 * files that are named.
 * @throws E_NOT_FOUND for a name no file has, and when there is no projection at all
 */
export async function selectCode(
  context: Context,
  flags: Flags,
  names: readonly string[],
): Promise<readonly LoadedProjection[]> {
  const none = new EvstoreError('E_NOT_FOUND', 'no projection found', {
    why: "Neither --projections, nor the config's projections, nor the folder projections holds one.",
    next: 'evstore scaffold projection NAME',
  });
  return selectNamed(context, { names, none }, (failed) => loadCode(context, flags, failed));
}

/** As `selectCode`, for one name. */
export async function selectOne(context: Context, flags: Flags, name: string): Promise<LoadedProjection> {
  const [projection] = await selectCode(context, flags, [name]);
  if (projection === undefined) throw new EvstoreError('E_BUG', 'no projection was chosen');
  return projection;
}

/** As `loadCode`; undefined when no file has that name. */
export async function findCode(context: Context, flags: Flags, name: string): Promise<LoadedProjection | undefined> {
  const faults: EvstoreError[] = [];
  const found = (await loadCode(context, flags, (error) => faults.push(error))).find((each) => each.name === name);
  await warnOrThrow(context, faults, found !== undefined);
  return found;
}

interface Selection {
  readonly names: readonly string[];
  /** What is thrown when there is nothing at all. */
  readonly none: EvstoreError;
}

/**
 * Returns those of these names, or all.
 * @param load throws for a file that cannot be loaded when it gets no function: all of them are wanted
 * @throws E_NOT_FOUND, or the error of a file that cannot be loaded: the name may be in it
 */
export async function selectNamed<Named extends { readonly name: string }>(
  context: Context,
  { names, none }: Selection,
  load: (failed?: (error: EvstoreError) => void) => Promise<readonly Named[]>,
): Promise<readonly Named[]> {
  const faults: EvstoreError[] = [];
  const loaded = await load(names.length === 0 ? undefined : (error) => faults.push(error));
  const known = new Set(loaded.map(({ name }) => name));
  await warnOrThrow(
    context,
    faults,
    names.every((name) => known.has(name)),
  );
  if (loaded.length === 0) throw none;
  return selectByName(loaded, names, ({ name }) => name);
}

async function warnOrThrow(context: Context, faults: readonly EvstoreError[], isFound: boolean): Promise<void> {
  const [first] = faults;
  if (first !== undefined && !isFound) throw first;
  for (const { message, why } of faults) await context.warn(why === undefined ? message : `${message}: ${why}`);
}
