/**
 * Notices when the reader of a pipe is gone. A writer learns that only by writing; a command that waits for events may
 * write nothing for hours, and Node cannot poll a pipe. Linux shows which processes hold a pipe open, so there the readers
 * found at the start are watched. Where none can be seen, nothing is concluded.
 */
import { promises as files, fstatSync } from 'node:fs';

const intervalMs = 250;

/**
 * Resolves when the readers are known. Write only then: a reader that takes one line and leaves would be missed.
 * @param onGone called once, when every reader that could be seen has closed the pipe
 */
export async function watchPipeReaders(fd: number, onGone: () => void): Promise<void> {
  const stats = fstatSync(fd);
  if (process.platform !== 'linux' || !stats.isFIFO()) return;
  const link = `pipe:[${stats.ino}]`;
  let readers = await findReaders(link, await listProcesses());
  if (readers.length > 0) schedule();

  function schedule(): void {
    setTimeout(() => void look(), intervalMs).unref();
  }

  async function look(): Promise<void> {
    readers = await findReaders(link, readers);
    // Another process may have inherited the pipe meanwhile.
    if (readers.length === 0) readers = await findReaders(link, await listProcesses());
    if (readers.length === 0) onGone();
    else schedule();
  }
}

async function listProcesses(): Promise<string[]> {
  const entries = await files.readdir('/proc').catch(() => []);
  return entries.filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
}

async function findReaders(link: string, processes: readonly string[]): Promise<string[]> {
  const found = await Promise.all(processes.map(async (id) => ((await holdsForReading(link, id)) ? [id] : [])));
  return found.flat();
}

async function holdsForReading(link: string, id: string): Promise<boolean> {
  const folder = `/proc/${id}/fd`;
  try {
    for (const name of await files.readdir(folder)) {
      if ((await files.readlink(`${folder}/${name}`)) !== link) continue;
      // The mode of the link shows how the descriptor was opened.
      if (((await files.lstat(`${folder}/${name}`)).mode & 0o400) !== 0) return true;
    }
  } catch {
    // The process ended, or belongs to another user.
  }
  return false;
}
