/**
 * What an error of an action means. Unless it says otherwise, the action may have taken effect: the request may have
 * arrived although its answer did not. Errors are recognised by their shape, because the user's file may load another copy
 * of evstore.
 */

/** `not-applied`: certainly without effect, so not compensated. `final`: a retry is of no use. */
export type Classification = 'unknown' | 'not-applied' | 'final' | 'not-applied-final';

export interface FailureOptions extends ErrorOptions {
  /** A retry is of no use. Default false. */
  readonly final?: boolean;
}

/** Thrown by an action that certainly took no effect: its step is not compensated. */
export class NotApplied extends Error {
  readonly applied = false;
  readonly final: boolean;

  constructor(message?: string, { final = false, ...options }: FailureOptions = {}) {
    super(message, options);
    this.name = 'NotApplied';
    this.final = final;
  }
}

/** Thrown by an action or compensation that is not to be retried. The action may have taken effect, and is compensated. */
export class Final extends Error {
  readonly final = true;

  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Final';
  }
}

export interface FailureKind {
  /** The action certainly took no effect. */
  readonly isCertain: boolean;
  readonly isFinal: boolean;
}

export const outcomeUnknown: FailureKind = { isCertain: false, isFinal: false };

/** @param classify of the definition; when it throws, the outcome is unknown */
export function kindOf(error: unknown, classify?: (error: unknown) => Classification): FailureKind {
  const { name, applied, final } = (error ?? {}) as { name?: unknown; applied?: unknown; final?: unknown };
  if (name === 'NotApplied' && applied === false) return { isCertain: true, isFinal: final === true };
  if (name === 'Final' && final === true) return { isCertain: false, isFinal: true };
  const classification = classified(error, classify);
  return {
    isCertain: classification === 'not-applied' || classification === 'not-applied-final',
    isFinal: classification === 'final' || classification === 'not-applied-final',
  };
}

function classified(error: unknown, classify: ((error: unknown) => Classification) | undefined): Classification {
  try {
    return classify?.(error) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

const maxErrorCharacters = 1_000;

/** The message of whatever was thrown, in a form every store takes. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text
    .slice(0, maxErrorCharacters)
    .replaceAll('\0', '\u{fffd}')
    .replace(/\p{Surrogate}/gu, '\u{fffd}');
}
