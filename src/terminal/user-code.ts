/**
 * Waits for code of the user, which may never finish. The wait ends after a limit, or at once when the process has nothing
 * left that could still happen.
 */
/** How long user code may take unless its definition says otherwise. */
export const defaultTimeout = '5m';

/** The longest delay that a timer takes. */
const maxTimerMs = 2_147_483_647;

/** User code that did not finish. The message completes "it …". */
export class Unfinished extends Error {
  /** It took longer than its limit, and may still finish. */
  readonly isLate: boolean;

  constructor(message: string, isLate = false) {
    super(message);
    this.isLate = isLate;
  }
}

/** What ends each wait. */
const waits = new Set<(reason: Unfinished) => void>();
let loading = 0;

/**
 * Calls user code and waits for what it returns.
 * @param limit as people write it, and in milliseconds
 * @param work gets a signal that aborts when the wait ends without it
 * @param stop ends the wait at once
 * @throws Unfinished, and the reason of `stop`
 */
export async function waitForUserCode<T>(
  limit: { readonly text: string; readonly ms: number },
  work: (signal: AbortSignal) => T | PromiseLike<T>,
  stop?: AbortSignal,
): Promise<T> {
  stop?.throwIfAborted();
  const controller = new AbortController();
  const over = new AbortController();
  let end: (reason: unknown) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = (reason) => {
      controller.abort(reason);
      reject(reason);
    };
  });
  stop?.addEventListener('abort', () => end(stop.reason), { signal: over.signal });
  // Nothing but the code itself keeps the process: when that cannot finish any more, the wait ends before the limit.
  const timer = setTimeout(
    () => end(new Unfinished(`took longer than ${limit.text}`, true)),
    Math.min(limit.ms, maxTimerMs),
  );
  timer.unref();
  waits.add(end);
  try {
    return await Promise.race([(async () => work(controller.signal))(), ended]);
  } finally {
    clearTimeout(timer);
    over.abort();
    waits.delete(end);
  }
}

/** Ends every wait, when nothing is left that could still happen. Returns false when nothing is waited for. */
export function giveUpWaiting(): boolean {
  const all = [...waits];
  for (const end of all) end(new Unfinished('waits for a promise that nothing can settle any more'));
  return all.length > 0;
}

/** Loads a module of the user. */
export async function whileLoading<Module>(work: () => Promise<Module>): Promise<Module> {
  loading += 1;
  try {
    return await waitForUserCode({ text: '1m', ms: 60_000 }, work);
  } finally {
    loading -= 1;
  }
}

/** Returns true while a module of the user is being loaded: nothing has begun that would have to end in order. */
export function isLoading(): boolean {
  return loading > 0;
}

/**
 * Makes `process.exit` throw: whatever calls it, nothing of evstore's work would be ended in order, and the exit code would
 * say that all went well.
 * @param isStopping when it returns true, the call is ignored: the process ends already
 */
export function refuseExit(isStopping: () => boolean): void {
  process.exit = ((code?: number | string | null) => {
    if (isStopping()) return;
    const error = new Error(
      `process.exit(${code ?? ''}) was called, but evstore ends the process itself when its work is done`,
    );
    Error.captureStackTrace(error, process.exit);
    throw error;
  }) as typeof process.exit;
}
