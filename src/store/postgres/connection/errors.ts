/** Names the errors of Postgres, the driver and the network by meaning. The driver's own error stays the cause. */
import { EvstoreError, isEvstoreError } from '../../../domain/errors.js';
import { driverError, isHandlerError, type Meaning, sentence } from '../../shared/errors.js';

/** Raised by the functions of the schema; see the migrations. */
const immutableEvents = 'EV001';
const standbyRead = 'EV002';
const isolationTooStrict = 'EV003';
const sequenceBehind = 'EV004';
const versionHole = 'EV005';
const wrongVersion = 'EV010';

const uniqueViolation = '23505';
const unknownStatement = '26000';
const knownStatement = '42P05';
const stillStarting = '57P03';
const frozenTooLong = '25P03';
const transactionTooLong = '25P04';
export const tooManyConnections = '53300';

/** The server ended or refused the connection: whether the work took effect is not known. */
const lostStates = /^(08|57P0|25P03)/;
/** The server stops, has crashed or starts; or something in front of it has no connection to it. */
const awayStates = /^(57P0[123]|08)/;
/** Nothing took effect: serialisation failure, deadlock, lock timeout, too many connections. */
const rolledBack: readonly string[] = ['40001', '40P01', '55P03', tooManyConnections];

/** By SQLSTATE, or by its class of two characters. */
const meanings: Readonly<Record<string, Meaning>> = {
  [immutableEvents]: { code: 'E_PERMISSION', what: 'events are immutable', why: 'Append a correcting event instead.' },
  [standbyRead]: {
    code: 'E_UNSAFE_STORE',
    what: 'this server is a standby',
    why: 'Only the primary knows which positions are still open, so a standby cannot be read in order.',
  },
  [isolationTooStrict]: {
    code: 'E_UNSAFE_STORE',
    what: 'the default isolation level of this account is above READ COMMITTED',
    why: 'A transaction with a single snapshot cannot tell which positions are still open.',
    next: 'psql -c \'alter role current_user set default_transaction_isolation to "read committed"\'',
  },
  [sequenceBehind]: {
    code: 'E_UNSAFE_STORE',
    what: 'the sequence of positions is behind the log',
    why: 'The next event would get a position that readers have passed, so they would miss it. This happens after a restore without the sequence.',
    next: 'evstore doctor --fix sequence',
  },
  [versionHole]: { code: 'E_INVALID_INPUT', what: 'the versions of a stream would have a hole' },
  '28': { code: 'E_CONNECT', what: 'the database refused the login' },
  '3D000': { code: 'E_CONNECT', what: 'the database does not exist' },
  [tooManyConnections]: { code: 'E_CONNECT', what: 'the database has too many connections' },
  '57P': { code: 'E_CONNECT', what: 'the database is shutting down or starting' },
  [frozenTooLong]: {
    code: 'E_CONNECT',
    what: 'the connection was lost',
    why: 'This process was suspended in the middle of a transaction, and the database ended it.',
  },
  '08': { code: 'E_CONNECT', what: 'the connection was lost' },
  '3F000': { code: 'E_NO_SCHEMA', what: 'the store has no schema yet', next: 'evstore init' },
  '42P01': { code: 'E_NO_SCHEMA', what: 'a table of the store is missing', next: 'evstore migrate status' },
  '42883': { code: 'E_NO_SCHEMA', what: 'a function of the store is missing', next: 'evstore migrate status' },
  '42P07': {
    code: 'E_FOREIGN_TABLE',
    what: "a table or index of that name exists and is not evstore's",
    next: 'evstore init --schema evstore',
  },
  '2BP01': { code: 'E_UNSAFE_STORE', what: 'something else depends on the table' },
  '42501': { code: 'E_PERMISSION', what: 'the database account may not do this', next: 'evstore doctor' },
  '25006': { code: 'E_READ_ONLY', what: 'the database is read-only' },
  '53100': { code: 'E_STORE_FULL', what: 'the disk of the database is full' },
  '53': { code: 'E_STORE_FULL', what: 'the database ran out of a resource' },
  '2200H': { code: 'E_STORE_FULL', what: 'the global positions are used up' },
  '55P03': { code: 'E_TIMEOUT', what: 'timed out waiting for a lock' },
  '57014': { code: 'E_TIMEOUT', what: 'the statement was cancelled or took too long', next: 'evstore doctor' },
  [transactionTooLong]: { code: 'E_TIMEOUT', what: 'the transaction took too long', next: 'evstore doctor' },
  '40': { code: 'E_TIMEOUT', what: 'other transactions interfered' },
  '22': { code: 'E_INVALID_INPUT', what: 'the database cannot hold this value' },
  '23': { code: 'E_INVALID_INPUT', what: 'the database refused a row' },
  '54': { code: 'E_INVALID_INPUT', what: 'a limit of the database was exceeded' },
  XX: { code: 'E_CORRUPT', what: 'the database reports damage' },
};

/** The account is subject to row-level security of a table of the store, and `settings.ts` asks for an error then. */
const hiddenRows: Meaning = {
  code: 'E_UNSAFE_STORE',
  what: 'row-level security hides rows of the store from this account',
  why: 'Whatever is computed from a part of the log is wrong.',
  next: 'evstore doctor',
};

/** A pooler's own error, under the code of a lost connection. */
const statementPooling: Meaning = {
  code: 'E_CONFIG',
  what: 'a pooler in statement mode is in front of the database',
  why: 'evstore works in transactions: rows and checkpoints are written together or not at all. Set pool_mode = transaction (or session) for this database.',
  next: 'evstore doctor',
};

/** The connection ended before its first statement: an unknown start-up option, a role that may not log in. */
const refusedConnection: Meaning = { code: 'E_CONNECT', what: 'the database refused the connection' };

/** Returns the SQLSTATE of a driver's error, or of the one that caused an EvstoreError. */
export function sqlState(error: unknown): string | undefined {
  const inner = driverError(error);
  if (!(inner instanceof Error) || !('code' in inner)) return undefined;
  return typeof inner.code === 'string' && /^[0-9A-Z]{5}$/.test(inner.code) ? inner.code : undefined;
}

/** Returns what Postgres adds to the message of an error. */
export function detailOf(error: unknown): string {
  const inner = driverError(error);
  return inner instanceof Error && 'detail' in inner && typeof inner.detail === 'string' ? inner.detail : '';
}

/** Returns true for an unmet expectation and for a known id or version: the facts decide which outcome it was. */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === wrongVersion || state === uniqueViolation;
}

/** Returns true for a version that does not follow an event of its stream. */
export function isHole(error: unknown): boolean {
  return sqlState(error) === versionHole;
}

/** Returns true when another connection of the server keeps the statement: there is a pooler in between. */
export function isStatementElsewhere(error: unknown): boolean {
  const state = sqlState(error);
  return state === unknownStatement || state === knownStatement;
}

/** Returns true when a pooler refused a transaction: each of its statements may use another connection. */
export function isStatementPooling(error: unknown): boolean {
  const inner = driverError(error);
  return inner instanceof Error && inner.message.includes('statement pooling mode');
}

/** Returns true for a statement that was ended from outside, or by a limit. */
export function isCancelled(error: unknown): boolean {
  return sqlState(error) === '57014';
}

/** Returns true when the connection was lost: the work may or may not have taken effect. */
export function isConnectionLost(error: unknown): boolean {
  if (isStatementPooling(error)) return false;
  const state = sqlState(error);
  if (state !== undefined) return lostStates.test(state);
  const inner = driverError(error);
  return inner instanceof Error && (networkCode(inner) !== undefined || lostMessages.test(inner.message));
}

/** Returns true when no connection was made, so that no statement was sent and nothing was written. */
export function isUnsent(error: unknown): boolean {
  const inner = driverError(error);
  const isTooLate =
    inner instanceof Error && /trying to connect|connection timeout|timeout expired/.test(inner.message);
  return isTooLate || isConnectionRefused(error) || sqlState(error) === stillStarting;
}

/** Returns true when the network refused the connection: no server listens there. */
export function isConnectionRefused(error: unknown): boolean {
  const inner = driverError(error);
  const code = inner instanceof Error ? networkCode(inner) : undefined;
  return code !== undefined && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/.test(code);
}

/**
 * Returns true when an attempt to connect met a server that stops, starts, or is away because it restarts. A name that
 * no one knows, or a host that cannot be reached, is no restart.
 */
export function isServerAway(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return awayStates.test(state);
  const inner = driverError(error);
  if (!(inner instanceof Error)) return false;
  return /^(ECONNREFUSED|ECONNRESET|EPIPE)$/.test(networkCode(inner) ?? '') || /terminated/i.test(inner.message);
}

/** Returns true when the server has no encryption or requires it: the other kind of connection may work. */
export function isEncryptionRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.message.includes('does not support SSL') ||
    (sqlState(error) === '28000' && /SSL|encryption/.test(error.message))
  );
}

/** Returns true when the same work, with the same ids, may succeed on a second attempt. */
export function isRetryable(error: unknown): boolean {
  return isConnectionLost(error) || rolledBack.includes(sqlState(error) ?? '');
}

/** Returns true when the client must not be used again. */
export function poisonsClient(error: unknown): boolean {
  if (isEvstoreError(error) && (error.cause === undefined || isHandlerError(error))) return false;
  const state = sqlState(error);
  // The server has closed the connection.
  if (state === transactionTooLong || isStatementPooling(error)) return true;
  return state === undefined || isConnectionLost(error);
}

export function namedError(error: unknown, location: string): EvstoreError {
  if (isEvstoreError(error)) return error;
  const inner = error instanceof Error ? error : new Error(String(error));
  const state = sqlState(inner);
  if (state === undefined) return nameNetworkError(inner, location);
  const hidden = 'routine' in inner && inner.routine === 'check_enable_rls' ? hiddenRows : undefined;
  const special = isStatementPooling(inner) ? statementPooling : hidden;
  const known = special ?? meanings[state] ?? meanings[state.slice(0, 3)] ?? meanings[state.slice(0, 2)];
  const meaning = known ?? (isFatal(inner) ? refusedConnection : undefined);
  if (meaning === undefined) {
    return new EvstoreError('E_BUG', `unexpected answer of the database: ${inner.message}`, {
      details: { sqlState: state },
      cause: inner,
    });
  }
  const isAboutConnection = meaning.code === 'E_CONNECT';
  return new EvstoreError(meaning.code, isAboutConnection ? `${meaning.what}: ${location}` : meaning.what, {
    why: meaning.why ?? sentence(inner.message),
    next: meaning.next ?? (isAboutConnection ? 'evstore doctor' : undefined),
    details: { sqlState: state },
    cause: inner,
  });
}

function isFatal(error: Error): boolean {
  return 'severity' in error && error.severity === 'FATAL';
}

const lostMessages =
  /connection terminated|connection ended|read timeout|timeout exceeded|timeout expired|socket|not queryable/i;

function nameNetworkError(error: Error, location: string): EvstoreError {
  if (networkCode(error) === undefined && !lostMessages.test(error.message) && !isLoginTrouble(error)) {
    return new EvstoreError('E_BUG', `unexpected error of the Postgres driver: ${error.message}`, { cause: error });
  }
  const isPasswordMissing = error.message.includes('password must be a');
  return new EvstoreError('E_CONNECT', `cannot connect to ${location}`, {
    why: isPasswordMissing
      ? 'The server requires a password: set it in PGPASSWORD, ~/.pgpass or the URL.'
      : sentence(error.message === '' ? (networkCode(error) ?? error.name) : error.message),
    next: 'evstore doctor',
    cause: error,
  });
}

function isLoginTrouble(error: Error): boolean {
  return /SSL|TLS|SASL|SCRAM|password|certificate|authentication/i.test(error.message);
}

/** Returns `ECONNREFUSED`, `ENOTFOUND`, `DEPTH_ZERO_SELF_SIGNED_CERT` …; that of the first when several addresses failed. */
function networkCode(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string' && /^(E[A-Z_]+|[A-Z]+_[A-Z_]+)$/.test(error.code)) {
    return error.code;
  }
  if (!(error instanceof AggregateError)) return undefined;
  const [first] = error.errors;
  return first instanceof Error ? networkCode(first) : undefined;
}
