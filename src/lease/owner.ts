import { hostname, userInfo } from 'node:os';

/** Returns the name by which other processes know this one: `host:1234`. */
export function ownerName(): string {
  return `${hostname()}:${process.pid}`;
}

/** Returns who runs this process, for records that people read: `ann@host`. */
export function accountName(): string {
  return `${userName()}@${hostname()}`;
}

/** In a container the account often has a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
