/** `evstore tail`: the last events, then each new one as it commits, in order, none twice and none missed. */

import { formatElapsed } from '../src/domain/duration.js';
import { EvstoreError, isEvstoreError } from '../src/domain/errors.js';
import type { RecordedEvent } from '../src/domain/event.js';
import { describeFinding, type Finding } from '../src/domain/finding.js';
import { judgeHead } from '../src/findings/held-back.js';
import { BackOff } from '../src/lease/back-off.js';
import { groupDigits } from '../src/output/numbers.js';
import type { Store } from '../src/store/store.js';
import { stopOf } from '../src/terminal/signals.js';
import type { Command, Context, Flags } from './options/command.js';
import { assertStreamExists, type EventRange, filterOptions, parseRange } from './options/event-range.js';
import { option } from './options/option.js';
import { duration, wholeNumber } from './options/parse-option.js';
import { outputOption, timesOption } from './options/shared-options.js';
import { fieldsOption } from './support/event-fields.js';
import { createEventWriter, type EventWriter } from './support/event-output.js';
import { noteScan } from './support/note-scan.js';

const defaultLast = 10;
/** One wait for new events; the limits of time are looked at in between. */
const longestWaitMs = 2_000;

export const command: Command = {
  usage: 'tail [stream]',
  writes: 'nothing',
  examples: [
    { line: 'evstore tail', purpose: 'print the last ten events, then follow' },
    { line: 'evstore tail --category Order --from end | jq .data', purpose: 'print only new events of one category' },
    {
      line: 'evstore tail --from end --until-type OrderPaid --timeout 30s',
      purpose: 'wait for the next event of a type',
    },
    { line: 'evstore tail Order-42 -n 1 --no-follow', purpose: 'print the last event of a stream' },
  ],
  options: [
    ...filterOptions(),
    option('-n, --last <count>', `start with this many of the last events (default: ${defaultLast})`, wholeNumber(0)),
    option('--from <place>', 'start at: start, end, or after this global position', parseFrom),
    option('--count <count>', 'stop after this many events', wholeNumber(1)),
    option('--until-type <type>', 'stop after an event of this type'),
    option('--until-idle <duration>', 'stop if no event arrives for this long', duration),
    option('--timeout <duration>', 'give up after this long (exit 7)', duration),
    option('-f, --follow', 'follow new events (the default)'),
    option('--no-follow', 'stop at the end of the log'),
    fieldsOption(),
    timesOption('local'),
    outputOption('data', 'long'),
  ],
  run: async ([streamId], flags, context) => {
    if (flags.from !== undefined && flags.last !== undefined) {
      throw new EvstoreError('E_USAGE', '--from and --last cannot be combined', {
        why: 'Start at a position, or with the last events.',
      });
    }
    const range = parseRange(streamId, flags, context.io.now());
    const store = await context.openStore();
    await store.schema.assertGuards();
    await context.io.stdout.watchReader();
    const tail = new Tail(store, range, await createEventWriter(flags, context), flags, context);
    const from = flags.from as number | 'end' | undefined;
    if (from !== 'end') await noteScan(context, store, { ...range, ...(from !== undefined && { after: from }) });
    if (from === undefined) await tail.printLast((flags.last as number | undefined) ?? defaultLast);
    else await tail.startAfter(from);
    await tail.follow();
    if (stopOf(context.io.signal) !== undefined) await tail.sayHowToContinue();
    if (tail.printed === 0 && flags.follow === false && streamId !== undefined)
      await assertStreamExists(store, streamId);
    return 0;
  },
};

class Tail {
  readonly #store: Store;
  readonly #filter: EventRange['filter'] & { readonly streamId?: string };
  readonly #writer: EventWriter;
  readonly #context: Context;
  readonly #flags: Flags;
  readonly #startedAt = performance.now();
  #position = 0;
  /** An event that was there: while it is, the log is the one that was read. */
  #anchor: Pick<RecordedEvent, 'id' | 'globalPosition'> | undefined;
  #printed = 0;
  #lastAt = this.#startedAt;
  #isDone = false;
  /** How serious it was when the user was told that readers are held. */
  #told: Finding['severity'] | undefined;

  constructor(store: Store, { streamId, filter }: EventRange, writer: EventWriter, flags: Flags, context: Context) {
    this.#store = store;
    this.#filter = streamId === undefined ? filter : { ...filter, streamId };
    this.#writer = writer;
    this.#context = context;
    this.#flags = flags;
  }

  get printed(): number {
    return this.#printed;
  }

  async startAfter(place: number | 'end'): Promise<void> {
    const { safeHead } = await this.#store.log.head();
    this.#position = place === 'end' ? safeHead : place;
    await this.#anchorAt(Math.min(this.#position, safeHead));
  }

  /** Of those below the safe head as it is now; what follows begins there. */
  async printLast(count: number): Promise<void> {
    const { safeHead } = await this.#store.log.head();
    this.#position = safeHead;
    await this.#anchorAt(safeHead);
    if (count === 0 || safeHead === 0) return;
    const last: RecordedEvent[] = [];
    const options = { ...this.#filter, to: safeHead, backwards: true, limit: count };
    for await (const { events } of this.#store.log.readAll(options)) {
      this.#context.io.signal.throwIfAborted();
      last.push(...events);
    }
    await this.#print(last.reverse());
  }

  /** Until a flag, a signal or the reader of stdout ends it. */
  async follow(): Promise<void> {
    const backOff = new BackOff(100, 5_000);
    const { signal } = this.#context.io;
    let isLost = false;
    let told: { readonly safeHead?: number } = {};
    while (!this.#isDone && !signal.aborted) {
      try {
        if (isLost) await this.#assertSameLog();
        await this.#printNew(told);
        if (isLost) await this.#context.warn('connected again');
        isLost = false;
        backOff.reset();
        if (this.#flags.follow === false || this.#isOver()) return;
        const safeHead = await this.#store.log.waitForAppend(this.#position, { timeoutMs: this.#waitMs(), signal });
        told = { safeHead };
        if (safeHead > this.#position || signal.aborted) continue;
        await this.#assertSameLog();
        await this.#sayWhoHolds();
      } catch (error) {
        if (!isEvstoreError(error) || error.code !== 'E_CONNECT') throw error;
        told = {};
        if (!isLost)
          await this.#context.warn(`${error.message}: trying again from position ${groupDigits(this.#position)}`);
        isLost = true;
        if (this.#isOver()) return;
        await backOff.wait(signal);
      }
    }
  }

  /** @param told up to where, where that is known */
  async #printNew(told: { readonly safeHead?: number }): Promise<void> {
    const options = { ...this.#filter, ...told, after: this.#position };
    for await (const { events, upTo } of this.#store.log.readAll(options)) {
      // After the events were read: a connection may have been replaced by one to another server, unnoticed.
      if (events.length > 0) await this.#assertSameLog();
      await this.#print(events);
      this.#position = upTo;
      if (this.#isDone || this.#context.io.signal.aborted) return;
    }
  }

  async #anchorAt(position: number): Promise<void> {
    const options = { to: position, backwards: true, limit: 1 };
    for await (const { events } of this.#store.log.readAll(options)) this.#anchor = events[0] ?? this.#anchor;
  }

  /** @throws E_DIVERGED */
  async #assertSameLog(): Promise<void> {
    if (this.#anchor === undefined) return;
    const { id, globalPosition } = this.#anchor;
    if ((await this.#store.log.find(id))?.globalPosition === globalPosition) return;
    throw new EvstoreError(
      'E_DIVERGED',
      `the log is another one now: event ${id} is not at position ${groupDigits(globalPosition)}`,
      {
        why: 'The store was restored, or a server with another history took over. Events that were printed may not be in it, and others may be.',
        next: 'evstore verify',
        details: { id, position: globalPosition },
      },
    );
  }

  /** Silence may mean that nothing happens, or that an open transaction hides what does. Said once, and again when it lasts. */
  async #sayWhoHolds(): Promise<void> {
    const [held] = judgeHead(await this.#store.log.head({ holder: true }));
    if (held !== undefined && held.severity !== this.#told) {
      const isUrgent = held.severity === 'warning';
      const { io, asJson, quiet } = this.#context;
      if (io.stderr.isTTY && !asJson && !quiet)
        await this.#context.note(separate(describeFinding(held), this.#context.view));
      else await (isUrgent ? this.#context.warn : this.#context.note)(describeFinding(held));
      if (held.next !== null) await this.#context.note(`  next: ${held.next}`);
    }
    this.#told = held?.severity;
  }

  async #print(events: readonly RecordedEvent[]): Promise<void> {
    const { count = Number.POSITIVE_INFINITY, untilType } = this.#flags as { count?: number; untilType?: string };
    let shown = events.slice(0, count - this.#printed);
    const stopAt = shown.findIndex(({ type }) => type === untilType);
    if (stopAt !== -1) shown = shown.slice(0, stopAt + 1);
    if (shown.length === 0) return;
    await this.#writer.write(shown);
    this.#anchor = shown.at(-1);
    this.#printed += shown.length;
    this.#lastAt = performance.now();
    this.#isDone = stopAt !== -1 || this.#printed >= count;
  }

  /** @throws E_TIMEOUT */
  #isOver(): boolean {
    const { untilIdle, timeout } = this.#flags as { untilIdle?: number; timeout?: number };
    const now = performance.now();
    if (this.#isDone || (untilIdle !== undefined && now - this.#lastAt >= untilIdle)) return true;
    if (timeout === undefined || now - this.#startedAt < timeout) return false;
    throw new EvstoreError('E_TIMEOUT', `timed out after ${timeout} ms`, {
      why: `${groupDigits(this.#printed)} events were printed, up to global position ${groupDigits(this.#position)}.`,
      next: this.#continued,
      details: { position: this.#position, printed: this.#printed },
    });
  }

  /** The same events from here, in place of where it started. */
  get #continued(): string {
    return this.#context.repeatedWithout(['--from', '-n', '--last'], '--from', String(this.#position));
  }

  async sayHowToContinue(): Promise<void> {
    const elapsed = formatElapsed(performance.now() - this.#startedAt);
    const printed = `${groupDigits(this.#printed)} ${this.#printed === 1 ? 'event' : 'events'} in ${elapsed}`;
    const point = this.#context.view.unicode ? '·' : '-';
    // Behind what the terminal shows for Ctrl-C.
    if (this.#context.io.stderr.isTTY) await this.#context.note('');
    await this.#context.note(`${printed} ${point} continue with: ${this.#continued}`);
  }

  #waitMs(): number {
    const { untilIdle, timeout } = this.#flags as { untilIdle?: number; timeout?: number };
    const now = performance.now();
    const idleLeft = untilIdle === undefined ? longestWaitMs : this.#lastAt + untilIdle - now;
    const timeLeft = timeout === undefined ? longestWaitMs : this.#startedAt + timeout - now;
    return Math.max(1, Math.ceil(Math.min(longestWaitMs, idleLeft, timeLeft)));
  }
}

/** Between events, under the columns behind the time. */
function separate(text: string, { unicode }: Context['view']): string {
  const line = unicode ? '──' : '--';
  return `          ${line} ${text} ${line}`;
}

function parseFrom(text: string): number | 'end' {
  if (text === 'end') return text;
  return text === 'start' ? 0 : wholeNumber(0)(text);
}
