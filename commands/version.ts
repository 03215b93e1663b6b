/** Which evstore this is. */
import { readFileSync } from 'node:fs';

/** As package.json has it: one folder up in the working tree, two from dist/. */
export function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
    } catch {}
  }
  return 'unknown';
}
