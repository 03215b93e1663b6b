/** Names a process so that others on the same host can tell for certain that it has ended. */
import { readFileSync, readlinkSync } from 'node:fs';

export type ProcessState = 'running' | 'ended' | 'unknown';

interface ProcessId {
  /** The boot of the kernel, and the namespace that gives the pid its meaning: a container has one of its own. */
  readonly place: string;
  readonly pid: number;
  /** Ticks from the boot to its start, whatever the clock says: another process may get the same pid later. */
  readonly startedAt: string;
}

let own: string | null | undefined;

/** Returns null where a process cannot be told from a later one with the same pid: without the /proc of Linux. */
export function thisProcess(): string | null {
  own ??= findThis();
  return own;
}

/**
 * Returns `ended` only for a process of this host and of the same namespace of pids that certainly runs no more.
 * @param text as its own `thisProcess` returned it
 */
export function stateOf(text: string | null): ProcessState {
  const here = thisProcess();
  const [wanted, mine] = [text, here].map((each) => (each === null ? undefined : parse(each)));
  if (wanted === undefined || mine === undefined || wanted.place !== mine.place) return 'unknown';
  try {
    process.kill(wanted.pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return 'ended';
    // Another account's process may not be signalled, but it is there.
    if (codeOf(error) !== 'EPERM') return 'unknown';
  }
  const found = readStat(String(wanted.pid));
  if (found === undefined) return 'unknown';
  return found.startedAt === wanted.startedAt && found.isAlive ? 'running' : 'ended';
}

/** Returns the owner of a lease, unless its process has certainly ended: then the lease is free, however long it lasts. */
export function livingOwner(owner: string | null, process: string | null): string | null {
  return owner === null || stateOf(process) === 'ended' ? null : owner;
}

function findThis(): string | null {
  try {
    // The /proc of another namespace counts pids differently.
    if (readlinkSync('/proc/self') !== String(process.pid)) return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    const stat = readStat('self');
    return stat === undefined || boot === '' ? null : `${boot} ${namespace} ${process.pid} ${stat.startedAt}`;
  } catch {
    return null;
  }
}

function parse(text: string): ProcessId | undefined {
  const match = /^(\S+ \S+) ([1-9]\d*) (\d+)$/.exec(text);
  return match === null ? undefined : { place: match[1] ?? '', pid: Number(match[2]), startedAt: match[3] ?? '' };
}

/** Returns undefined when it cannot be read. */
function readStat(pid: string): { readonly startedAt: string; readonly isAlive: boolean } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program is in brackets and may contain blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', startedAt] = [fields[0], fields[19]];
    // A killed process stays as a zombie until its parent has asked for its exit code.
    return startedAt === undefined ? undefined : { startedAt, isAlive: !['Z', 'X', 'x'].includes(state) };
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
