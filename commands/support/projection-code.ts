/** The projections a command works with: loaded from the user's files, chosen by name. */

import { EvstoreError } from '../../src/domain/errors.js';
import { selectByName } from '../../src/domain/similar.js';
import { type LoadedProjection, loadProjections } from '../../src/projection/define/load.js';
import type { Context, Flags } from '../options/command.js';

/** Every projection of `--projections`, of the config, or of the folder `projections`. Executes these files. */
export async function loadCode(context: Context, flags: Flags): Promise<readonly LoadedProjection[]> {
  const { note } = context;
  const { cwd, signal } = context.io;
  const globs = flags.projections as readonly string[] | undefined;
  if (globs !== undefined) return loadProjections({ globs, folder: cwd, note, signal });
  const config = await context.config();
  return loadProjections({ globs: config.projections, folder: config.folder, note, signal });
}

/**
 * As `loadCode`; those of these names, or all.
 * @throws E_NOT_FOUND for a name no file has, and when there is no projection at all
 */
export async function selectCode(
  context: Context,
  flags: Flags,
  names: readonly string[],
): Promise<readonly LoadedProjection[]> {
  const loaded = await loadCode(context, flags);
  if (loaded.length === 0) {
    throw new EvstoreError('E_NOT_FOUND', 'no projection found', {
      why: "Neither --projections, nor the config's projections, nor the folder projections holds one.",
      next: 'evstore scaffold projection NAME',
    });
  }
  return selectByName(loaded, names, ({ name }) => name);
}

/** As `selectCode`, for one name. */
export async function selectOne(context: Context, flags: Flags, name: string): Promise<LoadedProjection> {
  const [projection] = await selectCode(context, flags, [name]);
  if (projection === undefined) throw new EvstoreError('E_BUG', 'no projection was chosen');
  return projection;
}

/** As `loadCode`; undefined when no file has that name. */
export async function findCode(context: Context, flags: Flags, name: string): Promise<LoadedProjection | undefined> {
  return (await loadCode(context, flags)).find((each) => each.name === name);
}
