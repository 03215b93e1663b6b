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

/** The event types that are declared, which editors suggest, or any other text. */
export type EventType = (keyof StoredEvents & string) | (string & Record<never, never>);

/** The data of the events of a type, as declared; of any other type, an object of unknown members. */
export type DataOf<Type extends string> = Type extends keyof StoredEvents ? StoredEvents[Type] : Record<string, any>;
