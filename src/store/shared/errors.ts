/** What the engines share in naming errors. */
import { type ErrorCode, isEvstoreError } from '../../domain/errors.js';

/** What an error of a database means to a user. */
export interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly why?: string;
  readonly next?: string;
}

/** Returns the driver's error behind an EvstoreError, or the error itself. */
export function driverError(error: unknown): unknown {
  return isEvstoreError(error) ? error.cause : error;
}

/** Returns true when the user's code, or what it wrote, is the cause, whatever the database reported. */
export function isHandlerError(error: unknown): boolean {
  return isEvstoreError(error) && error.code === 'E_HANDLER';
}

/** Returns the message of a database as a sentence. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
