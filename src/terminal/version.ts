/** Which evstore this is. */
import { readFileSync } from 'node:fs';

/** As package.json has it: two folders up in the working tree, or in dist/. */
export function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
    } catch {}
  }
  return 'unknown';
}
