/** The files a project's globs mean: `*`, `?`, `**` and `{a,b}`, with `/` between folders on every system. */
import { readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

const moduleFile = /\.(?:ts|mts|cts|js|mjs|cjs)$/;
/** Declarations and tests lie beside the code and are none of it. */
const notCode = /\.d\.[cm]?ts$|\.(?:test|spec)\.[cm]?[jt]s$/;

/**
 * TypeScript and JavaScript files that match, absolute, sorted, each once. Folders named `node_modules` or beginning
 * with a dot are passed over. A glob that ends in a folder means what lies below it.
 */
export function findFiles(globs: readonly string[], folder: string): readonly string[] {
  const files = new Set<string>();
  for (const glob of globs) {
    const absolute = (isAbsolute(glob) ? glob : join(resolve(folder), glob)).replaceAll('\\', '/');
    const fixed = absolute.slice(0, absolute.search(/[*?{]|$/)).replace(/[^/]*$/, '');
    if (!/[*?{]/.test(absolute)) for (const file of walk(absolute)) files.add(file);
    else {
      const pattern = toPattern(absolute);
      for (const file of walk(fixed)) if (pattern.test(file)) files.add(file);
    }
  }
  return [...files].sort();
}

/** The file itself, or the module files below the folder. */
function walk(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return isModule(path) ? [path] : [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    const child = `${path.replace(/\/$/, '')}/${entry.name}`;
    return entry.isFile() && !isModule(child) ? [] : walk(child);
  });
}

function isModule(path: string): boolean {
  return moduleFile.test(path) && !notCode.test(path);
}

function toPattern(glob: string): RegExp {
  const source = glob.replace(/\*\*\/|\*\*|\*|\?|\{([^{}]*)\}|[.+^$()|[\]\\]/g, (token, choices?: string) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (choices === undefined) return `\\${token}`;
    return `(?:${choices
      .split(',')
      .map((choice) => choice.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
      .join('|')})`;
  });
  return new RegExp(`^${source}$`);
}
