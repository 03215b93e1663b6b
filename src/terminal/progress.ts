/**
 * How far a long piece of work is, on stderr: a spinner where a terminal can show one, otherwise a line now and then,
 * or one JSON object a line for programs.
 */
import type { Ora } from 'ora';
import type { Io } from './io.js';
import { sanitise } from './sanitise.js';

export type ProgressMode = 'people' | 'json' | 'none';

export interface Progress {
  /** @param done units of work so far; `total` replaces the one given at the start */
  update(done: number, total?: number): void;
  /** Takes the spinner away; call it before anything else is printed, and whatever happened. */
  stop(): void;
}

const lineEveryMs = 5_000;
const lineEveryShare = 0.1;
const spinnerEveryMs = 100;

/** @param label what is being done, e.g. `import orders.ndjson` */
export async function startProgress(io: Io, mode: ProgressMode, label: string, total?: number): Promise<Progress> {
  if (mode === 'none') return { update: () => {}, stop: () => {} };
  const spinner = mode === 'people' && canSpin(io) ? await startSpinner(sanitise(label)) : undefined;
  return new RunningProgress(io, mode, label, total, spinner);
}

class RunningProgress implements Progress {
  readonly #io: Io;
  readonly #mode: ProgressMode;
  readonly #label: string;
  readonly #spinner: Ora | undefined;
  readonly #startedAt: number;
  #total: number | undefined;
  #shownAt: number;
  #shownShare = 0;

  constructor(io: Io, mode: ProgressMode, label: string, total: number | undefined, spinner: Ora | undefined) {
    this.#io = io;
    this.#mode = mode;
    this.#label = label;
    this.#total = total;
    this.#spinner = spinner;
    this.#startedAt = performance.now();
    this.#shownAt = this.#startedAt;
  }

  update(done: number, total?: number): void {
    this.#total = total ?? this.#total;
    const now = performance.now();
    const share = this.#total ? done / this.#total : 0;
    const elapsed = now - this.#shownAt;
    if (this.#spinner !== undefined) {
      if (elapsed < spinnerEveryMs) return;
      this.#spinner.text = this.#describe(done, now);
    } else {
      if (elapsed < lineEveryMs && share - this.#shownShare < lineEveryShare) return;
      const line = this.#mode === 'json' ? this.#toJson(done, now) : this.#describe(done, now);
      this.#io.stderr.write(`${line}\n`).catch(() => {});
    }
    this.#shownAt = now;
    this.#shownShare = share;
  }

  stop(): void {
    this.#spinner?.stop();
  }

  #describe(done: number, now: number): string {
    const rate = this.#rate(done, now);
    const count = done.toLocaleString('en-US');
    const label = sanitise(this.#label);
    if (!this.#total) return `${label}: ${count} (${rate.toLocaleString('en-US')}/s)`;
    const percent = Math.min(100, Math.floor((done / this.#total) * 100));
    return `${label}: ${count} of ${this.#total.toLocaleString('en-US')} (${percent} %, ${rate.toLocaleString('en-US')}/s)`;
  }

  #toJson(done: number, now: number): string {
    return JSON.stringify({
      progress: sanitise(this.#label),
      done,
      total: this.#total ?? null,
      rate: this.#rate(done, now),
    });
  }

  #rate(done: number, now: number): number {
    return Math.round(done / Math.max(0.001, (now - this.#startedAt) / 1000));
  }
}

/** ora never stops in a terminal of no width, and shows nothing in CI. */
function canSpin({ stderr, env }: Io): boolean {
  // Of the stream ora writes to itself: an Output takes 80 columns where the terminal says none.
  const columns = process.stderr.columns ?? 0;
  return stderr.isTTY && columns > 0 && env.TERM !== 'dumb' && !env.CI;
}

async function startSpinner(text: string): Promise<Ora> {
  const { default: ora } = await import('ora');
  return ora({ text, stream: process.stderr, discardStdin: false, isEnabled: true, color: false }).start();
}
