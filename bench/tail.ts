/** `evstore tail` as a process: one whose lines are looked at as they come, and one that prints while others append. */
import { once } from 'node:events';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { countLines, type Started, startEvstore } from './evstore.js';
import { type Contender, Wrong } from './measure.js';
import type { Place, PlacedStore } from './place.js';
import { AppendingContender, evstoreCandidate } from './works/append.js';

/** How long a line may take that was committed, in milliseconds. */
export const patienceMs = 10_000;

export interface Tail {
  /** When the first event of each stream was printed. */
  readonly printed: ReadonlyMap<string, number>;
  /** What was printed twice or out of order. */
  readonly faults: readonly string[];
  stop(): Promise<void>;
}

export async function startTail({ folder }: Place, { url }: PlacedStore): Promise<Tail> {
  const child = startEvstore(['tail', '--from', 'end', '-o', 'ndjson'], { url, folder });
  const printed = new Map<string, number>();
  const faults: string[] = [];
  let before = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const at = performance.now();
    const { streamId, globalPosition } = JSON.parse(line) as { streamId: string; globalPosition: number };
    if (printed.has(streamId)) faults.push(`${streamId} was printed twice`);
    if (globalPosition <= before) faults.push(`${globalPosition} was printed after ${before}`);
    before = globalPosition;
    printed.set(streamId, at);
  });
  return { printed, faults, stop: () => end(child) };
}

/** Its tail prints into a file, as reading it would cost this process. It ends with the run. */
export class Tailed implements Contender {
  readonly name = 'with a tail';
  readonly #place: Place;
  readonly #file: string;
  readonly #appending: AppendingContender;
  #store: PlacedStore | undefined;
  #tail: Started | undefined;

  constructor(place: Place, writers: number) {
    this.#place = place;
    this.#file = join(place.folder, 'tail.ndjson');
    const candidate = evstoreCandidate(place);
    this.#appending = new AppendingContender(
      {
        ...candidate,
        make: async () => {
          this.#store = await candidate.make();
          return this.#store;
        },
      },
      writers,
      1,
    );
  }

  async prepare(): Promise<void> {
    await this.#appending.prepare();
    const { url = '' } = this.#store ?? {};
    const output = openSync(this.#file, 'w');
    const args = ['tail', '--from', 'start', '-o', 'ndjson'];
    this.#tail = startEvstore(args, { url, folder: this.#place.folder }, output);
    closeSync(output);
    await this.#printed();
  }

  async run(): Promise<number> {
    const figure = await this.#appending.run();
    await this.#printed();
    await end(this.#tail);
    return figure;
  }

  async close(): Promise<void> {
    await end(this.#tail);
    await this.#appending.close();
  }

  /** Waits until everything there is has been printed. */
  async #printed(): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const lines = await countLinesOf(this.#file);
      if (lines === this.#appending.events) return;
      if (performance.now() > deadline) {
        throw new Wrong(`the tail printed ${lines} of ${this.#appending.events} events`);
      }
      await sleep(50);
    }
  }
}

async function countLinesOf(path: string): Promise<number> {
  let lines = 0;
  for await (const piece of createReadStream(path)) lines += countLines(piece as Buffer);
  return lines;
}

async function end(child: Started | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  await gone;
}
