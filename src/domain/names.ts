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

/**
 * Returns the target of a projection whose rows are outside the store: `order_search__v2`, or `order_search__v3_17` for
 * rebuild 17. At most 63 characters: a longer name is cut and made unique by a hash.
 */
export function nameTarget(projection: string, version: number, rebuild?: number): string {
  const suffix = `__v${version}${rebuild === undefined ? '' : `_${rebuild}`}`;
  const room = maxIdentifierBytes - suffix.length;
  if (projection.length <= room) return `${projection}${suffix}`;
  const hash = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(projection)
    .digest('hex')
    .slice(0, 8);
  return `${projection.slice(0, room - hash.length - 1)}_${hash}${suffix}`;
}

/** The longest suffix of a secondary index of a rebuild's table. */
const longestIndexSuffix = '_idx99';

/** Returns the tables of a rebuild: the built table, and the name of the old table after the swap. */
export function nameRebuildTables(
  live: string,
  version: number,
  rebuild: number,
): { readonly live: string; readonly built: string; readonly old: string } {
  return { live, built: `${live}__v${version}_${rebuild}`, old: `${live}__old_${rebuild}` };
}

/**
 * Checks that the names of a table and of its indexes fit into an identifier, before anything is created. SQLite has no
 * such limit, but a projection must run on both engines.
 * @throws E_INVALID_INPUT
 */
export function checkRebuildTables({ built, old }: { readonly built: string; readonly old: string }): void {
  for (const table of [built, old]) checkIdentifier(`${table}${longestIndexSuffix}`);
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
