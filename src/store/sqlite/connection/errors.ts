/** Names the errors of SQLite and the driver by meaning. The driver's own error stays the cause. */
import { EvstoreError, isEvstoreError } from '../../../domain/errors.js';
import { driverError, isHandlerError, type Meaning, sentence } from '../../shared/errors.js';

/** By extended or primary result code. */
const meanings: Readonly<Record<string, Meaning>> = {
  SQLITE_NOTADB: { code: 'E_CORRUPT', what: 'the file is not a SQLite database' },
  SQLITE_CORRUPT: { code: 'E_CORRUPT', what: 'the database is damaged' },
  SQLITE_CANTOPEN: { code: 'E_CONNECT', what: 'the file cannot be opened' },
  SQLITE_IOERR_SHMSIZE: { code: 'E_STORE_FULL', what: 'the disk of the store is full' },
  SQLITE_IOERR: { code: 'E_CONNECT', what: 'the file cannot be read or written' },
  SQLITE_PROTOCOL: { code: 'E_CONNECT', what: 'the file could not be locked' },
  SQLITE_PERM: { code: 'E_PERMISSION', what: 'this user may not open the file' },
  SQLITE_AUTH: { code: 'E_PERMISSION', what: 'this is not allowed' },
  SQLITE_READONLY_DIRECTORY: {
    code: 'E_READ_ONLY',
    what: 'the folder is read-only',
    why: 'SQLite needs the journal next to the file even for reading. Copy the store to a writable folder.',
  },
  SQLITE_READONLY: { code: 'E_READ_ONLY', what: 'the file is read-only' },
  SQLITE_FULL: { code: 'E_STORE_FULL', what: 'the disk of the store is full' },
  SQLITE_NOMEM: { code: 'E_STORE_FULL', what: 'the process is out of memory' },
  SQLITE_BUSY: { code: 'E_TIMEOUT', what: 'another process kept the store locked' },
  SQLITE_LOCKED: { code: 'E_TIMEOUT', what: 'the store stayed locked' },
  SQLITE_INTERRUPT: { code: 'E_TIMEOUT', what: 'the statement was interrupted' },
  SQLITE_CONSTRAINT: { code: 'E_INVALID_INPUT', what: 'the database refused a row' },
  SQLITE_MISMATCH: { code: 'E_INVALID_INPUT', what: 'the database cannot hold this value' },
  SQLITE_TOOBIG: { code: 'E_INVALID_INPUT', what: 'a limit of the database was exceeded' },
};

/** Returns the extended result code, e.g. `SQLITE_CONSTRAINT_UNIQUE`, of a driver's error, or of the one that caused an EvstoreError. */
export function resultCode(error: unknown): string | undefined {
  const inner = driverError(error);
  if (!(inner instanceof Error) || !('code' in inner)) return undefined;
  return typeof inner.code === 'string' && inner.code.startsWith('SQLITE_') ? inner.code : undefined;
}

/** Returns true for a known id or version: the facts decide which outcome it was. */
export function isConflict(error: unknown): boolean {
  return resultCode(error) === 'SQLITE_CONSTRAINT_UNIQUE';
}

/** Another connection holds the lock, so nothing took effect. */
const lockedCodes = /^SQLITE_(BUSY|LOCKED|PROTOCOL)/;

/** Returns true when the same work may succeed on a second attempt. */
export function isRetryable(error: unknown): boolean {
  return !isHandlerError(error) && lockedCodes.test(resultCode(error) ?? '');
}

export function namedError(error: unknown, location: string): EvstoreError {
  if (isEvstoreError(error)) return error;
  const inner = error instanceof Error ? error : new Error(String(error));
  const code = resultCode(inner);
  if (code === undefined) return nameDriverError(inner, location);
  if (inner.message.includes('EV001')) {
    return new EvstoreError('E_PERMISSION', 'events are immutable', {
      why: 'Append a correcting event instead.',
      cause: inner,
    });
  }
  if (inner.message.includes('EV005')) {
    return new EvstoreError('E_INVALID_INPUT', 'the versions of a stream would have a hole', { cause: inner });
  }
  const meaning = meanings[code] ?? meanings[primary(code)] ?? meaningOfMessage(inner.message);
  return new EvstoreError(meaning.code, `${meaning.what}: ${location}`, {
    why: meaning.why ?? sentence(inner.message),
    next: meaning.next,
    details: { resultCode: code },
    cause: inner,
  });
}

function meaningOfMessage(message: string): Meaning {
  if (/no such table: (main\.)?(events|evstore_|subscription_checkpoints|snapshots)/.test(message)) {
    return { code: 'E_NO_SCHEMA', what: 'a table of the store is missing', next: 'evstore migrate status' };
  }
  return { code: 'E_BUG', what: 'unexpected answer of SQLite' };
}

/** Names errors that better-sqlite3 raises itself, before calling SQLite. */
function nameDriverError(error: Error, location: string): EvstoreError {
  if (/directory does not exist/.test(error.message)) {
    return new EvstoreError('E_CONNECT', `the folder of ${location} does not exist`, { cause: error });
  }
  if (/connection is not open/.test(error.message)) {
    return new EvstoreError('E_CONNECT', `the store was closed: ${location}`, { cause: error });
  }
  if (/bindings file|NODE_MODULE_VERSION|ERR_DLOPEN/.test(error.message)) {
    return new EvstoreError('E_CONFIG', 'the SQLite driver does not run on this machine', {
      why: 'better-sqlite3 was built for another Node.js or another system.',
      next: 'npm rebuild better-sqlite3',
      cause: error,
    });
  }
  return new EvstoreError('E_BUG', `unexpected error of the SQLite driver: ${error.message}`, { cause: error });
}

function primary(code: string): string {
  return code.split('_').slice(0, 2).join('_');
}
