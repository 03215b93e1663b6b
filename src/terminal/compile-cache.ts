/** Lets Node keep compiled code for the next start; Node can since 22.1, when asked to. */
import { makeCacheFolder } from './cache-folder.js';

type ModuleApi = typeof import('node:module') & { readonly enableCompileCache?: (folder: string) => unknown };

/** Applies to modules loaded from now on. A failure is ignored: the start only takes longer. */
export function keepCompiledCode(): void {
  const { enableCompileCache }: ModuleApi = process.getBuiltinModule('node:module');
  if (enableCompileCache === undefined) return;
  // Node's default folder is shared by all users of the machine: another user could put code there.
  const folder = makeCacheFolder('compiled');
  if (folder !== false) enableCompileCache(folder);
}
