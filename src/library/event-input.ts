/** The events that programs append, typed by `StoredEvents`. */
import type { NewDataOf, StoredEventVersions } from '../domain/stored-events.js';

/**
 * An event to append. Members that are left out get the defaults of the command line. The data of a declared type is that
 * of `StoredEvents`; of another type it is any JSON value.
 */
export type EventInput<Type extends string = string> = Type extends keyof StoredEventVersions
  ? { [Version in keyof StoredEventVersions[Type]]: VersionedInput<Type, Version> }[keyof StoredEventVersions[Type]]
  : CommonInput<Type> & { readonly data: NewDataOf<Type, number>; readonly schemaVersion?: number };

/** An event of which the compiler finds the type. */
export type TypedInput<Type extends string> = { readonly type: Type } & EventInput<Type>;

/** An event of one schema version. Only the first version may be left out. */
export type VersionedInput<Type extends string, Version> = Version extends number
  ? CommonInput<Type> & { readonly data: NewDataOf<Type, Version> } & (1 extends Version
        ? { readonly schemaVersion?: Version }
        : { readonly schemaVersion: Version })
  : never;

/** What an event to append has besides its data. */
export interface CommonInput<Type extends string = string> {
  readonly type: Type;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** UUID. Choose it yourself to make a retry across processes safe. Default: a new one. */
  readonly id?: string;
  /** RFC 3339, or a Date. */
  readonly createdAt?: string | Date;
}
