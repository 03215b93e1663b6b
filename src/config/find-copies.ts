/** Finds the evstore that the code of a project imports. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Copies } from '../domain/copies.js';

/**
 * Looks where Node.js looks for a package that a file in this folder imports.
 * @param program the version of the program that runs
 */
export function findCopies(folder: string, program: string): Copies {
  for (let place = folder; ; place = dirname(place)) {
    const found = join(place, 'node_modules', 'evstore', 'package.json');
    if (existsSync(found)) return { program, project: readCopy(found) };
    if (place === dirname(place)) return { program, project: null };
  }
}

/** Null for a package that cannot be read: importing it fails, and says so itself. */
function readCopy(file: string): Copies['project'] {
  try {
    const { version } = JSON.parse(readFileSync(file, 'utf8'));
    return typeof version === 'string' ? { version, folder: dirname(realpathSync(file)) } : null;
  } catch {
    return null;
  }
}
