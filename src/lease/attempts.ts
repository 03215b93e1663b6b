import { isEvstoreError, isTransient } from '../domain/errors.js';
import { BackOff } from './back-off.js';

export interface Attempts<T> {
  /** How long attempts are repeated, in milliseconds. */
  readonly maxWaitMs: number;
  /** Between the first two attempts, and at most, in milliseconds. */
  readonly pauseMs: readonly [first: number, longest: number];
  readonly signal: AbortSignal;
  /** Returns undefined when something moved meanwhile. */
  attempt(deadline: number): Promise<T | undefined>;
  /** Returns the result when the attempt succeeded after all, undefined to repeat it, or throws. */
  settle(error: unknown): Promise<T | undefined>;
  /** Makes the error that is thrown when the time is over. */
  giveUp(lastError: unknown): unknown;
}

/** Repeats what other processes may get in the way of, until it succeeds or the time is over. */
export async function repeat<T>({ maxWaitMs, pauseMs, signal, ...work }: Attempts<T>): Promise<T> {
  const deadline = performance.now() + maxWaitMs;
  const backOff = new BackOff(...pauseMs);
  for (;;) {
    signal.throwIfAborted();
    let lastError: unknown;
    try {
      const done = await work.attempt(deadline);
      if (done !== undefined) return done;
    } catch (error) {
      if (signal.aborted) throw error;
      const done = await work.settle(error);
      if (done !== undefined) return done;
      lastError = error;
    }
    if (performance.now() > deadline) throw work.giveUp(lastError);
    await backOff.wait(signal);
  }
}

/** Returns true when another attempt may succeed: the lease was taken, or the store was out of reach or busy. */
export function mayPass(error: unknown): boolean {
  return isTransient(error) || (isEvstoreError(error) && error.code === 'E_SUPERSEDED');
}
