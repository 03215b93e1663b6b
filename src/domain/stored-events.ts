/**
 * What the events of a program's store hold, as far as its compiler knows. `StoredEvents` is empty here: a program adds to
 * it with `declare module 'evstore'`, and then handlers, sagas and readers know the data of each type without an import.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: the data of a type that is not declared is whatever the user's events hold.

/**
 * Event type → the data of its events, in their last schema version. Declare your own:
 *
 *     declare module 'evstore' {
 *       interface StoredEvents {
 *         OrderPlaced: { orderId: string; total: number };
 *       }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs add their members; a type alias could not be added to.
export interface StoredEvents {}

/**
 * Event type → schema version → the data of its events, for upcasters, and for events that are appended in another version
 * than 1. A type that is only in `StoredEvents` has its data in every version.
 */
// biome-ignore lint/suspicious/noEmptyInterface: as above.
export interface StoredEventVersions {}

/** The event types that are declared, which editors suggest, or any other text. */
export type EventType = (keyof StoredEvents & string) | (string & Record<never, never>);

/** The data of the events of a type, as declared; of any other type, an object of unknown members. */
export type DataOf<Type extends string> = Type extends keyof StoredEvents ? StoredEvents[Type] : Record<string, any>;

/** The data of the events of a type in one schema version. */
export type DataOfVersion<Type extends string, Version extends number> = Type extends keyof StoredEventVersions
  ? Version extends keyof StoredEventVersions[Type]
    ? StoredEventVersions[Type][Version]
    : Record<string, any>
  : DataOf<Type>;

/** The data of an event that a program makes: of a type that is not declared, any JSON value. */
export type NewDataOf<Type extends string, Version extends number> = Type extends keyof StoredEventVersions
  ? DataOfVersion<Type, Version>
  : Type extends keyof StoredEvents
    ? StoredEvents[Type]
    : unknown;

/**
 * Data whose texts may be any text. A function that is inferred with its own types returns `string` where it writes a text,
 * and that would not fit a choice between a few.
 */
export type WidenedTexts<Data> = Data extends string
  ? string
  : Data extends readonly (infer Item)[]
    ? readonly WidenedTexts<Item>[]
    : Data extends object
      ? { readonly [Name in keyof Data]: WidenedTexts<Data[Name]> }
      : Data;

/**
 * What the compiler takes for the type of an event that is not declared. It is a pattern that no real type matches, because
 * a comparison with a declared type excludes a pattern, but not `string`. Use it as a string.
 */
export type OtherType = `(not declared) ${string}`;

/**
 * A handler. Its parameters are compared as those of a method, so that it may annotate its event with narrower data than
 * the compiler knows.
 */
export type Handler<Parameters extends readonly unknown[], Result> = {
  handle(...parameters: Parameters): Result;
}['handle'];
