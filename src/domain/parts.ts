/** Parts of a projection: several processes share its work, each with the rows whose keys fall to it. */
import { EvstoreError } from './errors.js';

/** `index` of `of`, from 1: the third of four parts is `{ index: 3, of: 4 }`. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** Of a projection that is not divided. */
export const wholeWork: Part = { index: 1, of: 1 };

const mostParts = 256;

/**
 * @param text `3/4`
 * @throws E_USAGE
 */
export function parsePart(text: string): Part {
  const [, index = Number.NaN, of = Number.NaN] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= of && of <= mostParts) return { index, of };
  throw new EvstoreError('E_USAGE', `'${text}' is no part`, {
    why: `It takes k/n, the k-th of n parts: 1 ≤ k ≤ n ≤ ${mostParts}.`,
  });
}

/** The checkpoint of a part, `NAME#3/4`; of a projection that is not divided, `NAME`. */
export function subscriptionIdOf(projection: string, { index, of }: Part): string {
  return of === 1 ? projection : `${projection}#${index}/${of}`;
}

/** The checkpoints of a projection that is divided into so many parts, in order. */
export function subscriptionIdsOf(projection: string, parts: number): readonly string[] {
  return Array.from({ length: parts }, (_, at) => subscriptionIdOf(projection, { index: at + 1, of: parts }));
}

/** The projection a checkpoint is of, and which part: of `NAME` the only one. */
export function partOf(subscriptionId: string): { readonly projection: string; readonly part: Part } {
  const [, projection, index, of] = /^([a-z0-9_]+)#(\d+)\/(\d+)$/.exec(subscriptionId) ?? [];
  if (projection === undefined) return { projection: subscriptionId, part: wholeWork };
  return { projection, part: { index: Number(index), of: Number(of) } };
}

/** By name, the parts of one projection by number. */
export function compareSubscriptionIds(a: string, b: string): number {
  const [left, right] = [partOf(a), partOf(b)];
  if (left.projection !== right.projection) return left.projection < right.projection ? -1 : 1;
  return left.part.of - right.part.of || left.part.index - right.part.index;
}

/**
 * Whether a key falls to a part: FNV-1a with 32 bits over the key's UTF-8, modulo the number of parts. Part 1 has the
 * remainder 0. What has been divided rests on it: it is never to change.
 */
export function isInPart(key: string, { index, of }: Part): boolean {
  return of === 1 || hashKey(key) % of === index - 1;
}

export function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
