/**
 * Lines on a terminal that are drawn again in place. There is no alternate screen: the last frame stays. It also hands
 * on keys, and says when the frame has to be drawn again: the window has another size, or the process was continued.
 */
import { writeSync } from 'node:fs';
import type { Io } from './io.js';
import { beforeRaised } from './signals.js';

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const beginFrame = '\u001b[?2026h';
const endFrame = '\u001b[?2026l';

export interface ScreenOptions {
  readonly measure: (line: string) => number;
  readonly onKey: (key: string) => void;
  readonly onChange: () => void;
}

/** Whether stdout is a terminal where the cursor can be moved. */
export function canRedraw({ stdout, env }: Io): boolean {
  // Ask the stream itself: an Output reports 80 columns if the terminal has no width.
  return stdout.isTTY && (process.stdout.columns ?? 0) > 0 && env.TERM !== 'dumb';
}

export class LiveScreen {
  readonly hasKeys = process.stdin.isTTY === true;
  readonly #io: Io;
  readonly #options: ScreenOptions;
  readonly #forget: () => void;
  /** Cells of each line of the frame on the screen. */
  #widths: readonly number[] = [];
  #waiting: readonly string[] | undefined;
  #writing: Promise<void> | undefined;
  #isOpen = true;

  constructor(io: Io, options: ScreenOptions) {
    this.#io = io;
    this.#options = options;
    this.#forget = beforeRaised(this.#restore);
    process.on('exit', this.#restore).on('SIGTSTP', this.#suspend).on('SIGCONT', this.#resume);
    process.stdout.on('resize', this.#options.onChange);
    this.#takeOver();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  /** Replaces the frame. Frames that a stopped terminal cannot take in time are left out. @param lines fewer than rows */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    this.#waiting = lines;
    this.#writing ??= this.#write();
  }

  /** Waits until the last frame is drawn, and gives the terminal back. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#writing;
    process.off('exit', this.#restore).off('SIGTSTP', this.#suspend).off('SIGCONT', this.#resume);
    process.stdout.off('resize', this.#options.onChange);
    process.stdin.off('data', this.#read).pause();
    this.#forget();
    this.#restore();
  }

  async #write(): Promise<void> {
    while (this.#waiting !== undefined) {
      const lines = this.#waiting;
      this.#waiting = undefined;
      const { columns, rows } = this.size;
      // A terminal that became narrower has broken the lines of the frame.
      const above = this.#widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
      const up = above === 0 ? '' : `\u001b[${Math.min(above, rows - 1)}A`;
      const body = lines.map((line) => `\r\u001b[2K${line}\n`).join('');
      this.#widths = lines.map(this.#options.measure);
      const { stdout } = this.#io;
      // As bytes: lines that were laid out are not broken again.
      await stdout.write(Buffer.from(`${beginFrame}${up}${body}\r\u001b[J${endFrame}`)).catch(() => {});
      await stdout.flush().catch(() => {});
    }
    this.#writing = undefined;
  }

  #takeOver(): void {
    writeNow(hideCursor);
    if (!this.hasKeys) return;
    process.stdin.setRawMode(true);
    process.stdin.off('data', this.#read).on('data', this.#read).resume();
  }

  readonly #restore = (): void => {
    if (this.hasKeys) process.stdin.setRawMode(false);
    writeNow(showCursor);
  };

  readonly #suspend = (): void => {
    this.#restore();
    process.kill(process.pid, 'SIGSTOP');
  };

  readonly #resume = (): void => {
    // The shell has written below the frame.
    this.#widths = [];
    this.#takeOver();
    this.#options.onChange();
  };

  /** Without the terminal's line editing, these keys arrive as characters. */
  readonly #read = (bytes: Uint8Array): void => {
    const keys = Buffer.from(bytes).toString();
    // An arrow or a function key.
    if (keys.startsWith('\u001b')) return;
    for (const key of keys) {
      if (key === '\u0003') process.kill(process.pid, 'SIGINT');
      else if (key === '\u001a') this.#suspend();
      else this.#options.onKey(key);
    }
  };
}

/** At once, because the process may be about to end. */
function writeNow(text: string): void {
  try {
    writeSync(process.stdout.fd, text);
  } catch {
    // The terminal is gone, or does not take it: nothing else can be done.
  }
}
