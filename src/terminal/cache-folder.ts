/** Where this user's evstore keeps what it can make again. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Made if it is missing, and closed to other users, who could put code there; false where it cannot be. */
export function makeCacheFolder(name: string): string | false {
  try {
    const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'evstore', name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return false;
  }
}
