/** SIGINT and SIGTERM: the first asks the work to stop where it can be resumed, the second ends the process. */

export type StopSignal = 'SIGINT' | 'SIGTERM';

const exitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** The reason of an abort by a signal. */
export class Stop extends Error {
  readonly signal: StopSignal;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.name = 'AbortError';
    this.signal = signal;
  }

  get exitCode(): number {
    return exitCodes[this.signal];
  }
}

/** Returns undefined when no signal aborted it. */
export function stopOf(signal: AbortSignal): Stop | undefined {
  return signal.aborted && signal.reason instanceof Stop ? signal.reason : undefined;
}

/** @param onFirst called with the first signal; the second one kills */
export function listenForSignals(onFirst: (stop: Stop) => void): void {
  let stopped = false;
  for (const name of Object.keys(exitCodes) as StopSignal[]) {
    process.on(name, () => {
      if (stopped) {
        raiseSignal(name);
        return;
      }
      stopped = true;
      onFirst(new Stop(name));
    });
  }
}

const restorers = new Set<() => void>();

/** Calls this before a signal ends the process, which runs nothing else. @returns what takes it back */
export function beforeRaised(restore: () => void): () => void {
  restorers.add(restore);
  return () => restorers.delete(restore);
}

/** Ends this process by the signal itself, so that a shell loop around it stops, too. */
export function raiseSignal(signal: StopSignal): void {
  for (const restore of restorers) restore();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
