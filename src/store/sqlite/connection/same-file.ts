/**
 * Checks that an open file is still the one at its path, with the history that was read. SQLite cannot tell: it reads a file
 * that was replaced to its end, and pages that another program has written over stay in its cache.
 */

import { statSync } from 'node:fs';
import { EvstoreError } from '../../../domain/errors.js';
import { groupDigits } from '../../../domain/numbers.js';
import type { FileTarget } from './connection-url.js';
import { resultCode } from './errors.js';

/** Returns the rows of a statement. */
type Read = (text: string) => readonly (readonly unknown[])[];

export interface OpenFile {
  /** Reads with the connection that is watched. */
  readonly read: Read;
  isInTransaction(): boolean;
  /** Reads with a new connection, which has nothing in its cache. */
  readAfresh<T>(work: (read: Read) => T): T;
}

/** An event that was there. Events never change, so it is there as long as the history is the same. */
interface Anchor {
  readonly position: number;
  readonly id: string;
}

/**
 * Events from all over the log: a copy over the file shows only in pages that are not in the write-ahead log too. SQLite finds
 * one end of a table at once, and reads all of it for both.
 */
const findAnchors = `with ends as (
    select (select min(global_position) from events) as low, (select max(global_position) from events) as high),
  places (n) as (values (0), (1), (2), (3), (4), (5), (6), (7), (8))
select global_position, id from events
 where global_position in (
   select (select min(e.global_position) from events e where e.global_position >= low + (high - low) * n / 8)
     from ends, places)`;

export class FileWatch {
  readonly #target: FileTarget;
  readonly #file: OpenFile;
  /** Devices and inodes of the files that are open, as far as they were seen. */
  readonly #identities = new Map<string, string>();
  /** Size and time of the last change of the database file: a checkpoint changes it, and so does a copy over it. */
  #stamp = '';
  /** Changes with each transaction of another connection. */
  #version: unknown;
  #anchors: readonly Anchor[] = [];

  constructor(target: FileTarget, file: OpenFile) {
    this.#target = target;
    this.#file = file;
  }

  /** @throws E_DIVERGED */
  check(): void {
    const { path, isMemory } = this.#target;
    if (isMemory) return;
    const stamp = this.#compareIdentity(path);
    this.#compareIdentity(`${path}-wal`);
    const { read } = this.#file;
    // What its own transaction has written is in no other connection yet.
    if (this.#file.isInTransaction()) return;
    const version = read('pragma data_version')[0]?.[0];
    if (version !== this.#version) this.#compareHistory(read);
    if (stamp !== this.#stamp && this.#anchors.length > 0)
      this.#file.readAfresh((afresh) => this.#compareHistory(afresh));
    if (version !== this.#version || this.#anchors.length === 0) this.#anchors = readAnchors(read);
    this.#version = version;
    this.#stamp = stamp;
  }

  /** Returns size and time of the file. */
  #compareIdentity(file: string): string {
    const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
    const now = stats && `${stats.dev}:${stats.ino}`;
    const before = this.#identities.get(file) ?? now;
    if (before !== undefined) this.#identities.set(file, before);
    if (now === before) return stats === undefined ? '' : `${stats.size}:${stats.mtimeNs}`;
    throw this.#diverged(
      now === undefined ? 'removed' : 'replaced',
      `${file} is another file than the one that was read`,
    );
  }

  #compareHistory(read: Read): void {
    for (const { position, id } of this.#anchors) {
      const evidence = `Event ${id}, which was at position ${groupDigits(position)}, is not there any more`;
      if (!this.#isThere(read, { position, id })) throw this.#diverged('replaced', evidence);
    }
  }

  #isThere(read: Read, { position, id }: Anchor): boolean {
    try {
      const [[found, last] = []] = read(
        `select (select id from events where global_position = ${position}),
                (select seq from sqlite_sequence where name = 'events')`,
      );
      // An event that was erased left no other one at its position, and the positions go on behind it.
      return found === id || (found === null && Number(last) >= position);
    } catch (error) {
      // There is no log any more. Other errors are about locks, or about a file that is damaged now.
      if (resultCode(error) === 'SQLITE_ERROR') return false;
      throw error;
    }
  }

  #diverged(how: 'removed' | 'replaced', evidence: string): EvstoreError {
    return new EvstoreError('E_DIVERGED', `${this.#target.location} was ${how} while it was open`, {
      why: `${evidence}. Start again to read what is there now.`,
      next: 'evstore verify',
    });
  }
}

/** Returns none while there is no log, or no event in it. */
function readAnchors(read: Read): readonly Anchor[] {
  const [log] = read("select 1 from sqlite_schema where type = 'table' and name = 'evstore_migrations'");
  if (log === undefined) return [];
  return read(findAnchors).map(([position, id]) => ({ position: Number(position), id: String(id) }));
}
