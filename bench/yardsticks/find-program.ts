/** Yardsticks that a machine may not have. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @returns what a report says when the program is not there */
export function findProgram(name: string): string | undefined {
  const isThere = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? undefined : `not measured: ${name} is not installed`;
}
