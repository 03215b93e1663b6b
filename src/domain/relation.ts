/** How events relate to each other: by ids in their metadata. */
import type { JsonText } from './event.js';
import { isUuid } from './uuid.js';
import { lookupIn } from './where/json-place.js';

export interface Relation {
  readonly correlationId: string | undefined;
  /** Of the event that caused it, usually; any text, because a command may have caused it. */
  readonly causationId: string | undefined;
}

const unrelated: Relation = { correlationId: undefined, causationId: undefined };

export function relationOf({ metadata }: { readonly metadata: JsonText }): Relation {
  // A key may be written with escapes.
  if (!/(?:correlation|causation)Id|\\u/.test(metadata)) return unrelated;
  const lookup = lookupIn(metadata);
  const textAt = (key: string) => {
    const found = lookup([key]);
    return found?.type === 'string' || found?.type === 'number' ? comparableId(found.text) : undefined;
  };
  return { correlationId: textAt('correlationId'), causationId: textAt('causationId') };
}

/** UUIDs compare in either case: the id of an event is stored in lower case. */
export function comparableId(id: string): string {
  return isUuid(id) ? id.toLowerCase() : id;
}

/** Converts A to Z to lower case and leaves other letters, as both engines do. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
