/** The limits of a store: equal for both engines, checked before the database is asked. */

/** A stream id, UTF-8. */
export const maxStreamIdBytes = 512;
/** Stream ids, stream types and event types, in characters (code points). */
export const maxNameCharacters = 255;
/** Data or metadata of one event, in bytes of UTF-8; larger ones need `--allow-large`. */
export const maxOrdinaryBytes = 10_240;
/** Data or metadata of one event, in bytes of UTF-8; larger ones are refused. */
export const maxPayloadBytes = 1_048_576;
/** Levels of nested arrays and objects. */
export const maxJsonDepth = 128;
/** Events of one append. */
export const maxBatchEvents = 10_000;
/** Identifiers of both engines, UTF-8. */
export const maxIdentifierBytes = 63;
