/** `lag --watch`: measures at intervals, and draws the state in place on a terminal; elsewhere it prints what changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import type { Measured } from '../../src/findings/examine.js';
import type { LagFrame, LagOrder, renderLagFrame } from '../../src/output/lag-frame.js';
import { LagHistory } from '../../src/output/lag-history.js';
import type { measureText } from '../../src/output/text-width.js';
import { isUnfinished } from '../../src/store/rebuild-state.js';
import type { Rebuild, Store } from '../../src/store/store.js';
import { LiveScreen } from '../../src/terminal/live-screen.js';
import type { Context } from '../options/command.js';

export interface Watching {
  readonly store: Store;
  readonly measure: () => Promise<Measured>;
  readonly intervalMs: number;
  /** The store, as a person knows it. */
  readonly title: string;
}

/** An answer that takes longer is a connection that is lost. */
const longestAnswerMs = 5_000;
const shortestIntervalMs = 250;
const longestIntervalMs = 60_000;
const orders: readonly LagOrder[] = ['worst', 'behind', 'oldest'];

/** What passes: it is shown, and measured again. Anything else ends the command. */
function isPassing(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && ['E_CONNECT', 'E_TIMEOUT', 'E_LOCK_HELD'].includes(error.code);
}

/** @returns what was measured last, once a key or a signal has ended it */
export async function watchOnTerminal(watching: Watching, context: Context): Promise<Measured> {
  const first = await measureAll(watching);
  const [{ renderLagFrame }, { measureText }] = await Promise.all([
    import('../../src/output/lag-frame.js'),
    import('../../src/output/text-width.js'),
  ]);
  const watch = new Watch(watching, first, context, { renderLagFrame, measureText });
  try {
    return await watch.run();
  } finally {
    await watch.close();
  }
}

interface All extends Measured {
  readonly rebuilds: readonly Rebuild[];
}

async function measureAll({ store, measure }: Watching): Promise<All> {
  const [measured, rebuilds] = await Promise.all([measure(), store.projections.rebuilds()]);
  return { ...measured, rebuilds: rebuilds.filter((rebuild) => isUnfinished(rebuild)) };
}

type Settings = Pick<LagFrame, 'order' | 'errorsOnly' | 'isPaused' | 'intervalMs' | 'foot'>;

/** Loaded when there is something to draw. */
interface Drawing {
  readonly renderLagFrame: typeof renderLagFrame;
  readonly measureText: typeof measureText;
}

class Watch {
  readonly #render: typeof renderLagFrame;
  readonly #watching: Watching;
  readonly #context: Context;
  readonly #screen: LiveScreen;
  readonly #history = new LagHistory();
  /** For answers that do not come. */
  readonly #clock: NodeJS.Timeout;
  #settings: Settings;
  #latest: All;
  #measuredAt: Date;
  #fault: EvstoreError | undefined;
  /** When the query began that has not been answered. */
  #askedAt: number | undefined;
  #isDone = false;
  #wake: () => void = () => {};

  constructor(watching: Watching, first: All, context: Context, { renderLagFrame, measureText }: Drawing) {
    this.#render = renderLagFrame;
    this.#watching = watching;
    this.#context = context;
    this.#latest = first;
    this.#measuredAt = context.io.now();
    this.#record(first);
    this.#screen = new LiveScreen(context.io, {
      measure: measureText,
      onKey: (key) => this.#press(key),
      onChange: () => this.#draw(),
    });
    const foot = this.#screen.hasKeys ? 'keys' : 'none';
    this.#settings = { order: 'worst', errorsOnly: false, isPaused: false, intervalMs: watching.intervalMs, foot };
    this.#clock = setInterval(() => this.#draw(), 1_000);
    context.io.signal.addEventListener('abort', () => this.#wake());
  }

  async run(): Promise<Measured> {
    this.#draw();
    while (await this.#pause()) {
      if (!this.#settings.isPaused) await Promise.race([this.#measure(), this.#ended()]);
      this.#draw();
    }
    return this.#latest;
  }

  async close(): Promise<void> {
    clearInterval(this.#clock);
    this.#settings = { ...this.#settings, foot: 'none' };
    this.#draw();
    await this.#screen.close();
  }

  /** @returns whether to measure again */
  async #pause(): Promise<boolean> {
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    if (!this.#isOver) await sleep(this.#settings.intervalMs, undefined, { signal: waking.signal }).catch(() => {});
    return !this.#isOver;
  }

  get #isOver(): boolean {
    return this.#isDone || this.#context.io.signal.aborted || this.#context.io.stdout.closed;
  }

  /** Resolves when it is over: by a key, a signal, or a closed output. */
  #ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (this.#isOver) resolve();
      };
    });
  }

  async #measure(): Promise<void> {
    this.#askedAt = performance.now();
    try {
      this.#latest = await measureAll(this.#watching);
      this.#measuredAt = this.#context.io.now();
      this.#fault = undefined;
      this.#record(this.#latest);
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#fault = error;
    } finally {
      this.#askedAt = undefined;
    }
  }

  #record({ report, rebuilds }: All): void {
    const values = [
      ['head', report.head] as const,
      ...report.projections.map(({ name, lag }) => [`behind ${name}`, lag] as const),
      ...rebuilds.map(({ projection, position }) => [`rebuild ${projection}`, position] as const),
    ];
    this.#history.record(this.#measuredAt.getTime(), new Map(values));
  }

  #draw(): void {
    const { columns, rows } = this.#screen.size;
    const view = { ...this.#context.view, width: columns, height: rows - 1, now: this.#context.io.now() };
    const { report, rebuilds } = this.#latest;
    const isSilent = this.#askedAt !== undefined && performance.now() - this.#askedAt > longestAnswerMs;
    const isLost = isSilent || this.#fault?.code === 'E_CONNECT';
    const state = isLost ? 'lost' : this.#fault === undefined ? 'current' : 'failed';
    const { title } = this.#watching;
    const known = { title, report, rebuilds, history: this.#history, measuredAt: this.#measuredAt };
    this.#screen.draw(this.#render({ ...known, ...this.#settings, state, fault: this.#fault?.message }, view));
  }

  #press(key: string): void {
    const settings = this.#settings;
    const next = orders[(orders.indexOf(settings.order) + 1) % orders.length] ?? 'worst';
    const changes: Readonly<Record<string, () => Partial<Settings>>> = {
      s: () => ({ order: next }),
      n: () => ({ order: 'name' }),
      e: () => ({ errorsOnly: !settings.errorsOnly }),
      p: () => ({ isPaused: !settings.isPaused }),
      '+': () => ({ intervalMs: Math.min(longestIntervalMs, settings.intervalMs * 2) }),
      '-': () => ({ intervalMs: Math.max(shortestIntervalMs, settings.intervalMs / 2) }),
      '?': () => ({ foot: settings.foot === 'help' ? 'keys' : 'help' }),
    };
    if (key === 'q') this.#isDone = true;
    this.#settings = { ...settings, ...changes[key]?.() };
    this.#draw();
    this.#wake();
  }
}

/**
 * Prints each measurement as lines, for a pipe, a log or a program. A lost connection is said once, and measuring
 * continues.
 * @returns what was measured last, once a signal or the reader of stdout has ended it
 */
export async function watchAsLines(
  { measure, intervalMs }: Watching,
  print: (measured: Measured) => Promise<void>,
  context: Context,
): Promise<Measured> {
  const { signal, stdout } = context.io;
  let latest = await measure();
  let isLost = false;
  for (;;) {
    if (!isLost) await print(latest);
    await sleep(intervalMs, undefined, { signal }).catch(() => {});
    if (signal.aborted || stdout.closed) return latest;
    try {
      latest = await measure();
      if (isLost) await context.warn('measured again');
      isLost = false;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (!isLost) await context.warn(`${error.message}: trying again`);
      isLost = true;
    }
  }
}
