/** Names of streams, event types and tables: which are legal, and how others are derived from them. */
import { EvstoreError } from './errors.js';
import { maxIdentifierBytes, maxNameCharacters, maxStreamIdBytes } from './limits.js';
import type { Statement } from './read-model.js';

const contractTables: ReadonlySet<string> = new Set(['events', 'snapshots', 'subscription_checkpoints']);

/** `Order` of `Order-42`: the text before the first `-`, or all of it. */
export function categoryOf(streamId: string): string {
  const dash = streamId.indexOf('-');
  return dash === -1 ? streamId : streamId.slice(0, dash);
}

/** @throws E_INVALID_INPUT */
export function checkStreamId(streamId: string): void {
  if (isPlain(streamId)) return;
  checkName('stream id', streamId);
  const bytes = Buffer.byteLength(streamId);
  if (bytes > maxStreamIdBytes) {
    throw new EvstoreError('E_INVALID_INPUT', `stream id is ${bytes} bytes long`, {
      why: `A stream id has at most ${maxStreamIdBytes} bytes and ${maxNameCharacters} characters.`,
    });
  }
}

/** @throws E_INVALID_INPUT */
export function checkEventType(type: string): void {
  checkName('event type', type);
}

/**
 * A stream type may be empty, unlike a stream id.
 * @throws E_INVALID_INPUT
 */
export function checkStreamType(streamType: string): void {
  if (streamType !== '') checkName('stream type', streamType);
}

/** Returns whether a read model may have a table of this name: lower case, and not used by evstore or the engine. */
export function isTableName(name: string): boolean {
  return (
    /^[a-z_][a-z0-9_]*$/.test(name) &&
    name.length <= maxIdentifierBytes &&
    !/^(pg|evstore|sqlite)_/.test(name) &&
    !contractTables.has(name)
  );
}

/** Of a table that is made for a rebuild, so that the names of its indexes fit too: the longest suffix is `_idx99`. */
const maxTableBytes = maxIdentifierBytes - '_idx99'.length;

/**
 * Appends a suffix to the name of a table. A name that would be too long is cut before the suffix, between two characters,
 * and 8 digits of a hash of the table's name make it unique: `a_very_long_na_5f2a91c0__v2_17`. Bytes are counted, not
 * characters. The rule is the same on both engines.
 */
export function deriveName(table: string, suffix: string, maxBytes = maxIdentifierBytes): string {
  const whole = `${table}${suffix}`;
  if (Buffer.byteLength(whole) <= maxBytes) return whole;
  const { createHash } = process.getBuiltinModule('node:crypto');
  const tail = `_${createHash('sha256').update(table).digest('hex').slice(0, 8)}${suffix}`;
  let room = maxBytes - Buffer.byteLength(tail);
  let kept = '';
  for (const character of table) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept}${tail}`;
}

/** Returns the suffix with which `name` is derived from a table; undefined when it is not derived from it. */
export function suffixOf(table: string, name: string): string | undefined {
  if (name.startsWith(table)) return name.slice(table.length);
  for (let at = name.indexOf('_'); at !== -1; at = name.indexOf('_', at + 1)) {
    if (deriveName(table, name.slice(at)) === name) return name.slice(at);
  }
  return undefined;
}

/**
 * Returns the target of a projection whose rows are outside the store: `order_search__v2`, or `order_search__v3_17` for
 * rebuild 17.
 */
export function nameTarget(projection: string, version: number, rebuild?: number): string {
  return deriveName(projection, `__v${version}${rebuild === undefined ? '' : `_${rebuild}`}`);
}

/** Returns the tables of a rebuild: the built table, and the name of the old table after the swap. */
export function nameRebuildTables(
  live: string,
  version: number,
  rebuild: number,
): { readonly live: string; readonly built: string; readonly old: string } {
  const built = deriveName(live, `__v${version}_${rebuild}`, maxTableBytes);
  return { live, built, old: deriveName(live, `__old_${rebuild}`, maxTableBytes) };
}

/**
 * The name of a table that evstore is about to make or rename.
 * @param taken names that something else has
 * @param what needs them: `the rebuild of order_summary`
 */
export function namesTaken(what: string, taken: readonly string[], next?: string): EvstoreError {
  const [names, them] = taken.length === 1 ? ['name', 'it'] : ['names', 'them'];
  return new EvstoreError(
    'E_FOREIGN_TABLE',
    `${what} needs the ${names} ${taken.join(', ')}, which something else has`,
    {
      why: `evstore did not make ${them}, so it leaves ${them} as ${taken.length === 1 ? 'it is' : 'they are'}. Rename or drop ${them} first. Nothing was changed.`,
      next,
      details: { taken },
    },
  );
}

/** Returns true for a secondary index of this table that its definition made, even while the table was a rebuild's. */
export function isDefinedIndex(table: string, name: string): boolean {
  const [, owner, version, rebuild] = /^(.*?(?:__v(\d+)_(\d+))?)_idx\d+$/s.exec(name) ?? [];
  if (owner === undefined) return false;
  if (/^_idx\d+$/.test(suffixOf(table, name) ?? '')) return true;
  return version !== undefined && owner === nameRebuildTables(table, Number(version), Number(rebuild)).built;
}

/**
 * Postgres cuts a name that is too long, and two names could become one.
 * @throws E_INVALID_INPUT
 */
export function checkStatementNames(statements: readonly Statement[]): void {
  for (const { parts } of statements) {
    for (const part of parts) if (part.kind === 'identifier') checkIdentifier(part.name);
  }
}

/** @throws E_INVALID_INPUT for a name with more bytes than an identifier may have */
export function checkIdentifier(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes <= maxIdentifierBytes) return;
  throw new EvstoreError('E_INVALID_INPUT', `the name ${name} is ${bytes} bytes long`, {
    why: `A table or index name has at most ${maxIdentifierBytes} bytes. Nothing was changed.`,
  });
}

/** `OrderSummary`, `orderSummary` and `order-summary` → `order_summary`. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
}

/** Most names match this and need no closer look. */
function isPlain(name: string): boolean {
  return name.length <= maxNameCharacters && /^[\x20-\x7e]+$/.test(name);
}

function checkName(what: string, name: string): void {
  if (isPlain(name)) return;
  if (name === '') throw new EvstoreError('E_INVALID_INPUT', `${what} is empty`);
  if (name.includes('\0')) {
    throw new EvstoreError('E_INVALID_INPUT', `${what} contains the character U+0000`, {
      why: 'Postgres cannot store it, so evstore refuses it on both engines.',
    });
  }
  if (/\p{Surrogate}/u.test(name)) {
    throw new EvstoreError('E_INVALID_INPUT', `${what} contains half of a surrogate pair`, {
      why: 'It is not valid Unicode: as UTF-8 it would become U+FFFD and collide with other names.',
    });
  }
  const characters = name.length <= maxNameCharacters ? name.length : [...name].length;
  if (characters > maxNameCharacters) {
    throw new EvstoreError('E_INVALID_INPUT', `${what} is ${characters} characters long`, {
      why: `The limit is ${maxNameCharacters} characters.`,
    });
  }
}
