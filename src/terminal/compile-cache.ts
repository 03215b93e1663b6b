/** Node can keep what it compiled for the next start: from 22.1 on, and only where it is told to. */
import { makeCacheFolder } from './cache-folder.js';

type ModuleApi = typeof import('node:module') & { readonly enableCompileCache?: (folder: string) => unknown };

/** Of whatever is loaded from now on. Where it cannot be kept, nothing is said: only the start takes longer. */
export function keepCompiledCode(): void {
  const { enableCompileCache }: ModuleApi = process.getBuiltinModule('node:module');
  if (enableCompileCache === undefined) return;
  // Node's own default is shared by all users of the machine: another user could put code there.
  const folder = makeCacheFolder('compiled');
  if (folder !== false) enableCompileCache(folder);
}
