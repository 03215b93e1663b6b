/** A disk of a few megabytes in memory, for cases that fill it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  /** Takes all the space that is left. */
  fill(): void;
  /** Gives that space back. */
  free(): void;
  /** From now on nothing can be written to it. */
  makeReadOnly(): void;
}

export async function withSmallDisk<Result>(
  megabytes: number,
  work: (disk: SmallDisk) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', 'disk-'));
  chmodSync(folder, 0o755);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder], { stdio: 'pipe' });
  const filler = join(folder, 'filler');
  try {
    return await work({
      folder,
      fill: () => fillUp(filler),
      free: () => rmSync(filler),
      makeReadOnly: () => execFileSync('mount', ['-o', 'remount,ro', folder], { stdio: 'pipe' }),
    });
  } finally {
    execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
    rmSync(folder, { recursive: true });
  }
}

function fillUp(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (const block of [Buffer.alloc(65_536), Buffer.alloc(4096)]) {
      try {
        while (writeSync(descriptor, block) === block.length);
      } catch {
        // There is no space for another block of this size.
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
