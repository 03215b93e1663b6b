/** Which config file a folder belongs to. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EvstoreError } from '../domain/errors.js';

const configNames = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `evstore.config.${extension}`);

/**
 * The one named, or the nearest one from `cwd` up to the root of the repository (or of the file system).
 * @throws E_CONFIG when the one named does not exist
 */
export function findConfig(cwd: string, named: string | undefined): string | undefined {
  if (named !== undefined) {
    const file = resolve(cwd, named);
    if (existsSync(file)) return file;
    throw new EvstoreError('E_CONFIG', `there is no config file ${named}`, { why: `Looked for ${file}.` });
  }
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = configNames.map((name) => join(folder, name)).find((each) => existsSync(each));
    if (file !== undefined) return file;
    if (existsSync(join(folder, '.git')) || folder === dirname(folder)) return undefined;
  }
}

/** Whether reading it runs code. */
export function isExecutable(file: string): boolean {
  return !file.endsWith('.json');
}
