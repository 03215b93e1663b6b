/** The folder for files that evstore can recreate. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Creates the folder if needed, closed to other users, who could put code there. Returns false if it cannot. */
export function makeCacheFolder(name: string): string | false {
  try {
    const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'evstore', name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return false;
  }
}
