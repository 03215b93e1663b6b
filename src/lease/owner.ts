import { hostname } from 'node:os';

/** Who this process is to others that want its lease: `host:1234`. */
export function ownerName(): string {
  return `${hostname()}:${process.pid}`;
}
