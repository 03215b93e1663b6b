/**
 * Progress of long work, on stderr: a spinner where a terminal can show one, otherwise a line at intervals, or one JSON
 * object per line for programs. In GitHub Actions the lines of one label are a group.
 */

import type { Ora } from 'ora';
import { formatDuration } from '../domain/duration.js';
import { groupDigits } from '../domain/numbers.js';
import { closeGroup, isInActions, openGroup } from './actions.js';
import type { Io } from './io.js';
import { progressBar } from './progress-bar.js';
import { sanitise } from './sanitise.js';
import { showsUnicode } from './unicode.js';

export type ProgressMode = 'people' | 'json' | 'none';

/** The current state of the work; members that are left out keep their values. */
export interface ProgressFacts {
  readonly total?: number;
  readonly label?: string;
  /** A step of the work, e.g. `fill`; its start is shown at once. */
  readonly step?: string;
}

export interface Progress {
  /** @param done units of work done so far */
  update(done: number, facts?: ProgressFacts): void;
  /** Removes the spinner. Call it before anything else is printed, also after an error. */
  stop(): void;
}

const lineEveryMs = 5_000;
const lineEveryShare = 0.1;
const spinnerEveryMs = 100;
const barWidth = 16;
/** Of the longest step. */
const stepWidth = 10;

/** @param label what is being done, e.g. `import orders.ndjson` */
export async function startProgress(io: Io, mode: ProgressMode, label: string, total?: number): Promise<Progress> {
  if (mode === 'none') return { update: () => {}, stop: () => {} };
  const spinner = mode === 'people' && canSpin(io) ? await startSpinner(io, sanitise(label)) : undefined;
  return new RunningProgress(io, mode, label, total, spinner);
}

class RunningProgress implements Progress {
  readonly #io: Io;
  readonly #mode: ProgressMode;
  readonly #spinner: Ora | undefined;
  #label: string;
  #total: number | undefined;
  #step: string | undefined;
  /** The count at which the step began; not 0 for resumed work. */
  #startedAt = performance.now();
  #startedFrom = 0;
  #shownAt = this.#startedAt;
  #shownShare = 0;
  #groupOf: string | undefined;

  constructor(io: Io, mode: ProgressMode, label: string, total: number | undefined, spinner: Ora | undefined) {
    this.#io = io;
    this.#mode = mode;
    this.#label = label;
    this.#total = total;
    this.#spinner = spinner;
  }

  update(done: number, { total, label, step }: ProgressFacts = {}): void {
    const now = performance.now();
    const hasBegun = (step !== undefined && step !== this.#step) || (label !== undefined && label !== this.#label);
    this.#total = total ?? this.#total;
    this.#label = label ?? this.#label;
    this.#step = step ?? this.#step;
    const share = this.#total ? done / this.#total : 0;
    if (hasBegun) {
      this.#startedAt = now;
      this.#startedFrom = done;
    }
    if (!hasBegun && !this.#isDue(now, share)) return;
    if (this.#spinner === undefined)
      this.#print(this.#mode === 'json' ? this.#toJson(done, now) : this.#line(done, now));
    else this.#spinner.text = fitSpinner(this.#bar(done, now) ?? this.#line(done, now), this.#io);
    this.#shownAt = now;
    this.#shownShare = share;
  }

  stop(): void {
    this.#spinner?.stop();
    if (this.#groupOf === undefined) return;
    this.#groupOf = undefined;
    this.#write(closeGroup);
  }

  #isDue(now: number, share: number): boolean {
    const elapsed = now - this.#shownAt;
    if (this.#spinner !== undefined) return elapsed >= spinnerEveryMs;
    return elapsed >= lineEveryMs || share - this.#shownShare >= lineEveryShare;
  }

  #print(line: string): void {
    const isGrouped = this.#mode === 'people' && isInActions(this.#io.env);
    if (isGrouped && this.#groupOf !== this.#label) {
      this.#write(`${this.#groupOf === undefined ? '' : closeGroup}${openGroup(this.#label)}`);
      this.#groupOf = this.#label;
    }
    this.#write(`${line}\n`);
  }

  #write(text: string): void {
    this.#io.stderr.write(text).catch(() => {});
  }

  #line(done: number, now: number): string {
    const rate = this.#rate(done, now);
    const count = groupDigits(done);
    const step = this.#step === undefined ? '' : `: ${this.#step}`;
    const label = sanitise(`${this.#label}${step}`);
    const speed = rate === 0 ? '' : `${groupDigits(rate)}/s`;
    if (!this.#total) return `${label}: ${count}${speed === '' ? '' : ` (${speed})`}`;
    const percent = Math.min(100, Math.floor((done / this.#total) * 100));
    const share = [`${percent} %`, speed].filter((part) => part !== '').join(', ');
    return `${label}: ${count} of ${groupDigits(this.#total)} (${share})`;
  }

  /** The step on the right of its column, then how far it is and how long it will take. Undefined without a total. */
  #bar(done: number, now: number): string | undefined {
    if (!this.#total) return undefined;
    const share = Math.min(1, done / this.#total);
    const rate = this.#rate(done, now);
    const left = rate === 0 || share === 1 ? [] : [`${formatDuration(((this.#total - done) / rate) * 1_000)} left`];
    const parts = [
      progressBar(share, barWidth, showsUnicode(this.#io.env)),
      `${Math.floor(share * 100)} %`.padStart(5),
      ...(rate === 0 ? [] : [`${groupDigits(rate)}/s`]),
      ...left,
      ` ${sanitise(this.#label)}`,
    ];
    const step = this.#step === undefined ? '' : `${sanitise(this.#step).padStart(stepWidth)} `;
    return step + parts.join(' ');
  }

  #toJson(done: number, now: number): string {
    return JSON.stringify({
      progress: sanitise(this.#label),
      ...(this.#step !== undefined && { step: this.#step }),
      done,
      total: this.#total ?? null,
      rate: this.#rate(done, now),
    });
  }

  /** Units per second since the step began. */
  #rate(done: number, now: number): number {
    return Math.round((done - this.#startedFrom) / Math.max(0.001, (now - this.#startedAt) / 1000));
  }
}

/** ora never returns in a terminal without width, and shows nothing in CI. */
function canSpin({ stderr, env }: Io): boolean {
  // Ask the stream that ora writes to: an Output reports 80 columns if the terminal has no width.
  const columns = process.stderr.columns ?? 0;
  return stderr.isTTY && columns > 0 && env.TERM !== 'dumb' && !env.CI;
}

async function startSpinner(io: Io, text: string): Promise<Ora> {
  // It would write past what still waits to be written.
  await io.stderr.flush();
  const { default: ora } = await import('ora');
  return ora({
    text: fitSpinner(text, io),
    stream: process.stderr,
    discardStdin: false,
    isEnabled: true,
    color: false,
  }).start();
}

/** On one line, after the spinner and a blank. What is not ASCII, nor of a bar, counts as two cells, the most it takes. */
function fitSpinner(text: string, { stderr }: Io): string {
  let room = stderr.columns - 4;
  let kept = '';
  for (const character of text) {
    room -= character > '~' && !'▓░'.includes(character) ? 2 : 1;
    if (room < 0) return `${kept}…`;
    kept += character;
  }
  return kept;
}
