/** Parts of a projection: several processes share its work, each with the rows whose keys fall to it. */
import { EvstoreError } from './errors.js';

/** `index` of `of`, from 1: the third of four parts is `{ index: 3, of: 4 }`. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** The only part of a projection that is not divided. */
export const wholeWork: Part = { index: 1, of: 1 };

const mostParts = 256;

/**
 * @param text `3/4`
 * @throws E_USAGE
 */
export function parsePart(text: string): Part {
  const [, index = Number.NaN, of = Number.NaN] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= of && of <= mostParts) return { index, of };
  throw new EvstoreError('E_USAGE', `'${text}' is not a part`, {
    why: `A part is k/n, the k-th of n parts: 1 ≤ k ≤ n ≤ ${mostParts}.`,
  });
}

/** Returns the id of a part's checkpoint: `NAME#3/4`, or `NAME` if the projection is not divided. */
export function subscriptionIdOf(projection: string, { index, of }: Part): string {
  return of === 1 ? projection : `${projection}#${index}/${of}`;
}

/** Returns the ids of the checkpoints of all parts, in order. */
export function subscriptionIdsOf(projection: string, parts: number): readonly string[] {
  return Array.from({ length: parts }, (_, at) => subscriptionIdOf(projection, { index: at + 1, of: parts }));
}

/** Returns the projection and the part of a checkpoint. */
export function partOf(subscriptionId: string): { readonly projection: string; readonly part: Part } {
  const [, projection, index, of] = /^([a-z0-9_]+)#(\d+)\/(\d+)$/.exec(subscriptionId) ?? [];
  if (projection === undefined) return { projection: subscriptionId, part: wholeWork };
  return { projection, part: { index: Number(index), of: Number(of) } };
}

/** Orders by name, and the parts of one projection by number. */
export function compareSubscriptionIds(a: string, b: string): number {
  const [left, right] = [partOf(a), partOf(b)];
  if (left.projection !== right.projection) return left.projection < right.projection ? -1 : 1;
  return left.part.of - right.part.of || left.part.index - right.part.index;
}

/**
 * Returns whether a key belongs to a part: 32-bit FNV-1a of the key's UTF-8, modulo the number of parts; part 1 has the
 * remainder 0. This must never change: existing divisions depend on it.
 */
export function isInPart(key: string, { index, of }: Part): boolean {
  return of === 1 || hashKey(key) % of === index - 1;
}

export function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
