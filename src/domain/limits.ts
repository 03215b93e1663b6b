/** What fits into a store: the same on both engines, checked before either is asked. */

/** A stream id, UTF-8. */
export const maxStreamIdBytes = 512;
/** Stream ids, stream types and event types, in characters (code points). */
export const maxNameCharacters = 255;
/** Data or metadata of one event, UTF-8: more needs `--allow-large`. */
export const maxOrdinaryBytes = 10_240;
/** Data or metadata of one event, UTF-8: more is always refused. */
export const maxPayloadBytes = 1_048_576;
/** Arrays and objects inside each other. */
export const maxJsonDepth = 128;
/** Events of one append. */
export const maxBatchEvents = 10_000;
/** Identifiers of both engines, UTF-8. */
export const maxIdentifierBytes = 63;
