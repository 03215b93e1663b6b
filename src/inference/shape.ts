/** The shape of data: which values a type of events holds. Plain JSON, because a project keeps it in a file. */
import type { Format } from './string-sighting.js';

export type Shape =
  | { readonly is: 'unknown' }
  | { readonly is: 'null' }
  | { readonly is: 'boolean' }
  | NumberShape
  | StringShape
  | { readonly is: 'array'; readonly items: Shape }
  | ObjectShape
  | { readonly is: 'union'; readonly of: readonly Shape[] };

export interface NumberShape {
  /** `bigint`: some are whole numbers beyond 2^53-1, which handlers get as BigInts. */
  readonly is: 'number' | 'bigint';
  /** All are whole numbers of 64 bits. */
  readonly whole?: true;
}

export interface StringShape {
  readonly is: 'string';
  readonly format?: Format;
  /** All values there are. */
  readonly values?: readonly string[];
  /** The values of a sample: there may be others. */
  readonly some?: readonly string[];
}

export interface ObjectShape {
  readonly is: 'object';
  /** By name. */
  readonly members: readonly Member[];
  /** The shape of the values of all other keys. Undefined when there are none. */
  readonly others?: Shape;
}

export interface Member {
  readonly name: string;
  /** Some objects lack it. */
  readonly optional?: true;
  readonly shape: Shape;
}

/** Event type → schema version → the shape of its data. */
export interface TypeShape {
  readonly type: string;
  /** In rising order. */
  readonly versions: readonly VersionShape[];
}

export interface VersionShape {
  readonly version: number;
  /** The number of events that were looked at. */
  readonly events: number;
  /** False when the store has more of them. */
  readonly complete: boolean;
  readonly data: Shape;
}
