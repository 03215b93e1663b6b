/**
 * Reading from a standby of Postgres in order: the primary publishes its safe head in a table, which reaches the standby with
 * the events, and the reader stops there. evstore itself refuses a standby; this measures what that way would give.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '../../test/support/postgres-server.js';
import { connectPostgres, type Raw } from '../../test/support/raw.js';
import { runEvstore } from '../evstore.js';
import { openEvstoreWriters } from '../evstore-writers.js';
import { expectEqual, Wrong } from '../measure.js';
import type { Comparison } from '../report.js';
import { quantile } from '../statistics.js';
import { sampleEvents, type Writers } from '../yardsticks/writer.js';
import { appendSteadily, busyRate, busySeconds } from './tail.js';
import type { Task, Work } from './work.js';

const writers = 8;
const publishMs = 5;
const readMs = 2;
/** How long somebody's transaction stays open with an event in it, again and again. */
const slowMs = 100;
const patienceMs = 10_000;
const settings = { fsync: 'on', full_page_writes: 'on' };

export const work: Work = {
  summary: 'from commit on the primary to a reader of a standby that stops at the published safe head',
  events: 0,
  runs: 3,
  run: async (task) => {
    if (task.place.engine === 'sqlite') return [];
    const primary = await startPostgres({ prefer: 'system', settings });
    let standby: PostgresServer | undefined;
    try {
      await runEvstore(['init', '--no-config'], { url: primary.url, folder: task.place.folder });
      await primary.halt('fast');
      const copy = startPostgres({ settings, copyOf: primary, standbyOf: primary });
      await primary.start();
      standby = await copy;
      return await measure(task, primary.url, standby.url);
    } finally {
      await standby?.stop();
      await primary.stop();
    }
  },
};

async function measure({ runs, say }: Task, primaryUrl: string, standbyUrl: string): Promise<Comparison[]> {
  const figures = { p50: [] as number[], p99: [] as number[], skipped: [] as number[] };
  const appends: Record<'with' | 'without', number[]> = { with: [], without: [] };
  const pool = await openEvstoreWriters(primaryUrl, writers);
  const raw = await connectPostgres(primaryUrl);
  await raw.query('create table if not exists published (head bigint not null); insert into published values (0)');
  try {
    for (let run = 1; run <= runs; run += 1) {
      const { latencies } = await follow(pool, primaryUrl, standbyUrl, `${run}a`, async () => {});
      figures.p50.push(quantile(latencies, 0.5));
      figures.p99.push(quantile(latencies, 0.99));
      const { skipped } = await follow(pool, primaryUrl, standbyUrl, `${run}b`, appendSlowly);
      figures.skipped.push(skipped);
      appends.without.push(await appendAtFullSpeed(pool, `${run}c`));
      const publisher = new Publisher(await connectPostgres(primaryUrl));
      const reader = new Reader(await connectPostgres(standbyUrl), 'published');
      appends.with.push(await appendAtFullSpeed(pool, `${run}d`));
      await Promise.all([publisher.stop(), reader.stop()]);
      say(`standby, run ${run} of ${runs}: p99 ${figures.p99.at(-1)?.toFixed(1)} ms, skipped ${skipped}`);
    }
  } finally {
    await pool.close();
    await raw.close();
  }
  return [
    ...(['p50', 'p99'] as const).map((name): Comparison => {
      const title = `from commit to a reader of the standby, ${busyRate} appends/s, ${name}`;
      return { title, unit: 'ms', measured: [{ name, figures: figures[name] }] };
    }),
    {
      title: `of ${busyRate * busySeconds} events and slow ones among them, those a reader without the published head never sees`,
      unit: '',
      measured: [{ name: 'skipped', figures: figures.skipped }],
    },
    {
      title: `appends by ${writers} writers while the head is published and the standby is read`,
      unit: 'events/s',
      measured: [
        { name: 'with both', figures: appends.with },
        { name: 'with replication alone', figures: appends.without },
      ],
    },
  ];
}

/** @returns how late each event was, and how many a reader missed that goes by what it sees alone */
async function follow(
  { writes }: Writers,
  primaryUrl: string,
  standbyUrl: string,
  run: string,
  alsoAppend: typeof appendSlowly,
): Promise<{ latencies: number[]; skipped: number }> {
  const publisher = new Publisher(await connectPostgres(primaryUrl));
  const reader = new Reader(await connectPostgres(standbyUrl), 'published');
  const hasty = new Reader(await connectPostgres(standbyUrl), 'visible');
  const acknowledged = new Map<string, number>();
  const somebody = await connectPostgres(primaryUrl);
  const others = alsoAppend(somebody, acknowledged, run);
  let next = 0;
  await appendSteadily(async (order) => {
    const [stream, event] = [`${order}-${run}`, sampleEvents[next % sampleEvents.length]];
    if (event === undefined) throw new Wrong('there are no events');
    await writes[next++ % writers]?.(stream, 0, [event]);
    acknowledged.set(stream, performance.now());
  });
  await others;
  await somebody.close();
  const deadline = performance.now() + patienceMs;
  const isMissing = () => [...acknowledged.keys()].some((stream) => !reader.seen.has(stream));
  while (isMissing() && performance.now() < deadline) await sleep(20);
  await Promise.all([publisher.stop(), reader.stop(), hasty.stop()]);
  expectEqual('what the reader of the standby missed', isMissing(), false);
  expectEqual('what it met out of order', reader.faults, 0);
  const latencies = [...acknowledged].map(([stream, at]) => Math.max(0, (reader.seen.get(stream) ?? 0) - at));
  return { latencies, skipped: [...acknowledged.keys()].filter((stream) => !hasty.seen.has(stream)).length };
}

/** Somebody who takes a position early and commits late. */
async function appendSlowly(raw: Raw, acknowledged: Map<string, number>, run: string): Promise<void> {
  for (let turn = 0; turn < (busySeconds * 1_000) / (2 * slowMs); turn += 1) {
    const stream = `Slow-${run}x${turn}`;
    await raw.query('begin');
    await raw.query(
      `insert into events (stream_id, event_type, event_data, version) values ('${stream}', 'Slow', '{}', 1)`,
    );
    await sleep(slowMs);
    await raw.query('commit');
    acknowledged.set(stream, performance.now());
    await sleep(slowMs);
  }
}

async function appendAtFullSpeed({ writes }: Writers, prefix: string): Promise<number> {
  const startedAt = performance.now();
  let events = 0;
  await Promise.all(
    writes.map(async (write, writer) => {
      for (let turn = 0; performance.now() - startedAt < busySeconds * 1_000; turn += 1) {
        const event = sampleEvents[turn % sampleEvents.length];
        if (event !== undefined) await write(`Full-${prefix}${writer}x${turn}`, 0, [event]);
        events += 1;
      }
    }),
  );
  return events / ((performance.now() - startedAt) / 1_000);
}

/** Does one thing after the other until it is stopped. */
abstract class Loop {
  protected readonly raw: Raw;
  readonly #ended: Promise<void>;
  #isStopped = false;

  constructor(raw: Raw, pauseMs: number) {
    this.raw = raw;
    this.#ended = this.#run(pauseMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
    await this.raw.close();
  }

  protected abstract turn(): Promise<void>;

  async #run(pauseMs: number): Promise<void> {
    while (!this.#isStopped) {
      await sleep(pauseMs);
      await this.turn();
    }
  }
}

class Publisher extends Loop {
  constructor(raw: Raw) {
    super(raw, publishMs);
  }

  protected async turn(): Promise<void> {
    await this.raw.query(
      'update published set head = head.now from evstore_safe_head(-1) as head (now) where head < head.now',
    );
  }
}

class Reader extends Loop {
  readonly seen = new Map<string, number>();
  faults = 0;
  readonly #cap: string;
  #position: number | undefined;

  constructor(raw: Raw, by: 'published' | 'visible') {
    super(raw, readMs);
    this.#cap = by === 'published' ? 'select head from published' : 'select max(global_position) from events';
  }

  protected async turn(): Promise<void> {
    this.#position ??= Number(
      (await this.raw.query('select coalesce(max(global_position), 0) as at from events'))[0]?.at,
    );
    const rows = await this.raw.query(
      `select global_position as at, stream_id as stream from events
        where global_position > ${this.#position} and global_position <= (${this.#cap}) order by global_position`,
    );
    const now = performance.now();
    for (const { at, stream } of rows) {
      if (Number(at) <= this.#position || this.seen.has(String(stream))) this.faults += 1;
      this.#position = Number(at);
      this.seen.set(String(stream), now);
    }
  }
}
