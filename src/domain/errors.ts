/**
 * Every error a user can meet. The code says which, the exit code follows from it, `why` explains and `next` is the
 * command to run. Nothing else decides an exit code.
 */

const exitCodes = {
  /** A check found what it looks for: lag over the limit, a difference, a pending migration. */
  E_CHECK_FAILED: 1,
  E_USAGE: 2,
  E_CONFIG: 2,
  /** Input that cannot be stored: broken JSON, a name too long, a limit passed. */
  E_INVALID_INPUT: 2,
  /** The store has no schema yet. */
  E_NO_SCHEMA: 2,
  /** Migrations are waiting. */
  E_SCHEMA_PENDING: 2,
  /** The schema was made by a newer evstore. */
  E_SCHEMA_NEWER: 2,
  /** A table of that name exists and is not ours. */
  E_FOREIGN_TABLE: 2,
  /** The registered version of a projection is another than the code's. */
  E_STALE_PROJECTION: 2,
  E_CONNECT: 3,
  /** The database account may not do this. */
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
  /** A COMMIT was sent and its answer lost: a retry with the same ids decides. */
  E_OUTCOME_UNKNOWN: 7,
  E_CONFIRM: 8,
  /** The user's code threw. */
  E_HANDLER: 9,
  /** Reading or writing here could lose or reorder events. */
  E_UNSAFE_STORE: 10,
  E_CORRUPT: 10,
  /** Another history than the one the checkpoint was taken in. */
  E_DIVERGED: 10,
  E_BUG: 70,
  E_STORE_FULL: 74,
  E_OUTPUT: 74,
} as const;

export type ErrorCode = keyof typeof exitCodes;

export interface ErrorFacts {
  /** Why it happened, in a sentence or two. */
  readonly why?: string | undefined;
  /** The command to run next, ready to paste. */
  readonly next?: string | undefined;
  /** What a program may want to act on; appears in the JSON form. */
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

/** Checks by shape, so that an error of another copy of evstore is still recognised. */
export function isEvstoreError(error: unknown): error is EvstoreError {
  return error instanceof Error && error.name === 'EvstoreError' && 'code' in error && String(error.code) in exitCodes;
}

const transientCodes: readonly ErrorCode[] = ['E_CONNECT', 'E_TIMEOUT', 'E_OUTCOME_UNKNOWN'];

/** Returns true when the store was out of reach or busy: the same work may succeed later. */
export function isTransient(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && transientCodes.includes(error.code);
}
