import { hostname } from 'node:os';

/** Returns the name by which other processes know this one: `host:1234`. */
export function ownerName(): string {
  return `${hostname()}:${process.pid}`;
}
