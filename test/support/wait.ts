/** Waits for a condition, never for a time: what takes a second on one machine takes a minute on another. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Multiplies every time limit of the tests: 3 on a machine that is three times as slow. */
export const timeScale = Number(process.env.EVSTORE_TEST_TIME_SCALE ?? 1);

/** The time limit of a case, unless its file calls `allowMoreTime`. */
export const caseLimitMs = 20_000 * timeScale;

let patienceMs = 0.75 * caseLimitMs;

/** Sets how long `until` waits before it gives up. */
export function setPatience(limitMs: number): void {
  patienceMs = limitMs;
}

/**
 * Resolves when the condition is true.
 * @param what names the condition in the error
 * @throws Error when it has not become true within the time that fits the limit of the case
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string) = 'a condition',
  limitMs = patienceMs,
): Promise<void> {
  // Made here so that its stack names the caller.
  const tooLate = new Error();
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      tooLate.message = `${typeof what === 'string' ? what : what()} did not become true in ${Math.round(limitMs)} ms`;
      throw tooLate;
    }
    await sleep(10);
  }
}
