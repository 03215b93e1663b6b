/** What this process waits for that may never happen, because it is up to user code. */
import { relative } from 'node:path';

const loading = new Set<string>();

/** Remembers the file while it is being loaded. */
export async function whileLoading<Module>(file: string, load: () => Promise<Module>): Promise<Module> {
  loading.add(file);
  try {
    return await load();
  } finally {
    loading.delete(file);
  }
}

/** The file whose code runs, as it is seen from the working directory. */
export function fileBeingLoaded(): string | undefined {
  const [file] = loading;
  return file === undefined ? undefined : relative(process.cwd(), file);
}
