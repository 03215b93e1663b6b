/**
 * The errors that a user can meet. The exit code follows from the code and from nothing else; `why` explains the error,
 * `next` is the command to run.
 */

const exitCodes = {
  /** A check found what it looks for: lag over the limit, a difference, a pending migration. */
  E_CHECK_FAILED: 1,
  E_USAGE: 2,
  E_CONFIG: 2,
  /** Input that cannot be stored: invalid JSON, a name that is too long, a limit exceeded. */
  E_INVALID_INPUT: 2,
  /** The store has no schema yet. */
  E_NO_SCHEMA: 2,
  /** Migrations are pending. */
  E_SCHEMA_PENDING: 2,
  /** The schema was made by a newer evstore. */
  E_SCHEMA_NEWER: 2,
  /** A table of that name exists, and evstore did not create it. */
  E_FOREIGN_TABLE: 2,
  /** The registered version of a projection differs from the version of the code. */
  E_STALE_PROJECTION: 2,
  E_CONNECT: 3,
  /** The database account lacks a privilege. */
  E_PERMISSION: 3,
  E_READ_ONLY: 3,
  E_VERSION_CONFLICT: 4,
  E_ID_CONFLICT: 4,
  E_PARTIAL_DUPLICATE: 4,
  /** Another process holds the lease or the lock. */
  E_LOCK_HELD: 5,
  /** Another process took over: a batch was not written. */
  E_SUPERSEDED: 5,
  E_NOT_FOUND: 6,
  E_TIMEOUT: 7,
  /** The answer to a COMMIT was lost: a retry with the same ids tells the outcome. */
  E_OUTCOME_UNKNOWN: 7,
  E_CONFIRM: 8,
  /** The user's code threw. */
  E_HANDLER: 9,
  /** Reading or writing here could lose or reorder events. */
  E_UNSAFE_STORE: 10,
  E_CORRUPT: 10,
  /** The log is not the one in which the checkpoint was taken. */
  E_DIVERGED: 10,
  E_BUG: 70,
  /** Nothing could happen any more, and the command had not returned. */
  E_UNFINISHED: 70,
  E_STORE_FULL: 74,
  E_OUTPUT: 74,
} as const;

export type ErrorCode = keyof typeof exitCodes;

export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

export interface ErrorFacts {
  /** Why it happened, in a sentence or two. */
  readonly why?: string | undefined;
  /** The command to run next, ready to paste. */
  readonly next?: string | undefined;
  /** Facts for programs; they appear in the JSON form. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

export class EvstoreError extends Error {
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly next: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  /** @param what one line, lower case, without a full stop: it is printed after `error: ` */
  constructor(code: ErrorCode, what: string, facts: ErrorFacts = {}) {
    super(what, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'EvstoreError';
    this.code = code;
    this.why = facts.why;
    this.next = facts.next;
    this.details = facts.details ?? {};
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/** Checks the shape, so that an error from another copy of evstore is recognised. */
export function isEvstoreError(error: unknown): error is EvstoreError {
  return error instanceof Error && error.name === 'EvstoreError' && 'code' in error && String(error.code) in exitCodes;
}

const transientCodes: readonly ErrorCode[] = ['E_CONNECT', 'E_TIMEOUT', 'E_OUTCOME_UNKNOWN'];

/** Returns true when the store was out of reach or busy: the same work may succeed later. */
export function isTransient(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && transientCodes.includes(error.code);
}
