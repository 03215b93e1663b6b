/** Names of scratch stores: nothing else is ever dropped as one. */
import { randomBytes } from 'node:crypto';
import { EvstoreError } from '../../domain/errors.js';

const scratchPrefix = 'evstore_bench_';
const randomLength = 12;
const pattern = new RegExp(`^${scratchPrefix}[0-9a-f]{${randomLength}}$`);

export function newScratchName(): string {
  return `${scratchPrefix}${randomBytes(randomLength / 2).toString('hex')}`;
}

export function isScratchName(name: string): boolean {
  return pattern.test(name);
}

export function notScratch(name: string): EvstoreError {
  return new EvstoreError('E_USAGE', `${name} is not the name of a scratch store of this store`, {
    why: `Its name ends in ${scratchPrefix} and ${randomLength} hexadecimal digits.`,
  });
}
