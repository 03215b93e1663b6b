/** Names of streams, event types and tables: what is legal, and what is derived from what. */
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
      why: `A stream id takes at most ${maxStreamIdBytes} bytes and ${maxNameCharacters} characters.`,
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

/** Whether a read model may have a table of this name: lower case, and nobody else's. */
export function isTableName(name: string): boolean {
  return (
    /^[a-z_][a-z0-9_]*$/.test(name) &&
    name.length <= maxIdentifierBytes &&
    !/^(pg|evstore|sqlite)_/.test(name) &&
    !contractTables.has(name)
  );
}

/**
 * Where the rows of a projection are that are not in the store's database: `order_search__v2`, and `order_search__v3_17`
 * for that of rebuild 17. At most 63 characters: a longer projection's name is cut, and told apart by a hash.
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

/** Of a secondary index: the longest that a rebuild's tables need room for. */
const longestIndexSuffix = '_idx99';

/** The tables of a rebuild of version `version`: the one it fills, and the name of the one it replaces. */
export function nameRebuildTables(
  live: string,
  version: number,
  rebuild: number,
): { readonly live: string; readonly built: string; readonly old: string } {
  return { live, built: `${live}__v${version}_${rebuild}`, old: `${live}__old_${rebuild}` };
}

/**
 * Before anything is made: does the table fit into an identifier, with the longest name of an index that is derived from
 * it? SQLite would take any, but a projection must run on both engines.
 * @throws E_INVALID_INPUT
 */
export function checkRebuildTables({ built, old }: { readonly built: string; readonly old: string }): void {
  for (const table of [built, old]) checkIdentifier(`${table}${longestIndexSuffix}`);
}

/**
 * Postgres would cut a name that is too long, and two could become one.
 * @throws E_INVALID_INPUT
 */
export function checkStatementNames(statements: readonly Statement[]): void {
  for (const { parts } of statements) {
    for (const part of parts) if (part.kind === 'identifier') checkIdentifier(part.name);
  }
}

/** @throws E_INVALID_INPUT for more bytes than either engine takes */
export function checkIdentifier(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes <= maxIdentifierBytes) return;
  throw new EvstoreError('E_INVALID_INPUT', `the name ${name} is ${bytes} bytes long`, {
    why: `A name takes at most ${maxIdentifierBytes} bytes, and this one is needed. Nothing has been changed.`,
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

/** Most are: then there is nothing to look at more closely. */
function isPlain(name: string): boolean {
  return name.length <= maxNameCharacters && /^[\x20-\x7e]+$/.test(name);
}

function checkName(what: string, name: string): void {
  if (isPlain(name)) return;
  if (name === '') throw new EvstoreError('E_INVALID_INPUT', `${what} is empty`);
  if (name.includes('\0')) {
    throw new EvstoreError('E_INVALID_INPUT', `${what} contains the character U+0000`, {
      why: 'Postgres cannot hold it, so no store takes it.',
    });
  }
  if (/\p{Surrogate}/u.test(name)) {
    throw new EvstoreError('E_INVALID_INPUT', `${what} contains half of a surrogate pair`, {
      why: 'It is not Unicode text: as UTF-8 it would become U+FFFD and collide with other names.',
    });
  }
  const characters = name.length <= maxNameCharacters ? name.length : [...name].length;
  if (characters > maxNameCharacters) {
    throw new EvstoreError('E_INVALID_INPUT', `${what} is ${characters} characters long`, {
      why: `It takes at most ${maxNameCharacters} characters.`,
    });
  }
}
