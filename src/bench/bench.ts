/** Measures a store on its own server or file system, in a scratch store that is dropped at the end. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { count } from '../domain/words.js';
import type { Fact, ScratchPlace, Store } from '../store/store.js';
import { measureEvent } from './orders.js';
import { measureReading, measureRebuild } from './reading.js';
import { type Limits, measureAppends, measureImport, type Work } from './writing.js';

export interface BenchOptions {
  /** How long each measurement lasts, in milliseconds. */
  readonly durationMs: number;
  /** Appends at the same time. */
  readonly concurrency: number;
}

export interface BenchPlan extends BenchOptions {
  readonly engine: Store['engine'];
  readonly location: string;
  readonly scratch: {
    /** A phrase. */
    readonly place: string;
    /** The most that all measurements write, on disk, without the write-ahead log of the server. */
    readonly mostBytes: number;
    readonly mostEvents: number;
  };
  /** Scratch stores that killed processes left behind. */
  readonly leftovers: readonly ScratchPlace[];
}

export interface Measurement {
  readonly name: 'append' | 'append-batch' | 'import' | 'read' | 'rebuild';
  /** For people. */
  readonly title: string;
  readonly events: number;
  readonly seconds: number;
  /** Null when nothing was measured, like the others. */
  readonly eventsPerSecond: number | null;
  /** Of one append. */
  readonly medianMs: number | null;
  /** Null under 100 appends, too: it would be the slowest one. */
  readonly p99Ms: number | null;
}

export interface BenchReport extends BenchPlan {
  /** When it began; RFC 3339. */
  readonly at: string;
  /** Of data and metadata of one event. */
  readonly eventBytes: number;
  /** With what the scratch store took at the end; null when something else dropped it. */
  readonly scratch: BenchPlan['scratch'] & { readonly bytes: number | null };
  readonly measurements: readonly Measurement[];
  /** Versions and settings that decide the figures. */
  readonly conditions: readonly Fact[];
  /** What is known to limit them, or to make them better than they should be: sentences. */
  readonly limits: readonly string[];
}

export interface BenchRun extends BenchPlan {
  readonly now: Date;
  /** Told what is being measured, and how many events it has processed. */
  readonly progress: (step: string, events: number) => void;
  readonly signal: AbortSignal;
}

const batchSize = 100;
/** Each measurement ends after this many events a second of its duration, so that what is written has a bound. */
const mostPerSecond = { append: 10_000, batch: 30_000, import: 60_000 };
const mostTogether = 2_000_000;
/** On disk, with its part of the indexes and of the read model; measured: up to 520 on either engine. */
const bytesPerEvent = 1_000;
/** Of an empty store. */
const schemaBytes = 2_000_000;
/** Connections of one store: more workers get another one. */
const connectionsOfStore = 8;
const fewLatencies = 100;
const shownFacts = ['server', 'durability', 'journal mode', 'synchronous'];
const limitingKinds = ['lost-writes', 'time-limit', 'old-server'];

/** Returns what a run would write, and where. @throws E_PERMISSION and E_USAGE where it cannot */
export async function planBench(store: Store, options: BenchOptions): Promise<BenchPlan> {
  await store.scratch.assertPossible();
  const { append, batch, import: imported } = mostEventsOf(options);
  const mostEvents = append + batch + imported + 2 * batchSize * options.concurrency;
  return {
    engine: store.engine,
    location: store.location,
    ...options,
    scratch: { place: store.scratch.place(), mostBytes: schemaBytes + mostEvents * bytesPerEvent, mostEvents },
    leftovers: await findLeftovers(store),
  };
}

export async function findLeftovers({ scratch }: Store): Promise<readonly ScratchPlace[]> {
  return (await scratch.list()).filter(({ isInUse }) => !isInUse);
}

/** Drops the scratch store in any case; it is left behind only by a process that is killed. */
export async function runBench(store: Store, run: BenchRun): Promise<BenchReport> {
  const { now, progress, signal, ...plan } = run;
  progress('scratch store', 0);
  const { facts, findings } = await store.schema.diagnose();
  signal.throwIfAborted();
  const scratch = await store.scratch.make();
  const stores: Store[] = [];
  try {
    const pools = store.engine === 'postgres' ? Math.ceil(plan.concurrency / connectionsOfStore) : 1;
    for (let pool = 0; pool < pools; pool += 1) stores.push(await scratch.open());
    const measurements = await measureAll(stores, run);
    const place = (await store.scratch.list()).find(({ name }) => name === scratch.name);
    return {
      ...plan,
      scratch: { ...plan.scratch, bytes: place?.bytes ?? null },
      at: now.toISOString(),
      eventBytes: measureEvent(),
      measurements,
      conditions: facts.filter(({ name }) => shownFacts.includes(name)),
      limits: [
        ...findings.filter(({ kind }) => limitingKinds.includes(kind)).map(({ detail }) => detail),
        ...describeLimits(plan),
      ],
    };
  } finally {
    await Promise.all(stores.map((each) => each.close()));
    await removeScratch(store, scratch.name);
  }
}

async function removeScratch({ scratch }: Store, name: string): Promise<void> {
  try {
    await scratch.remove(name);
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { code, message, why, details } = error;
    const next = 'evstore bench --clean';
    throw new EvstoreError(code, `${name} was left behind: ${message}`, { why, next, details, cause: error });
  }
}

async function measureAll(stores: readonly Store[], run: BenchRun): Promise<readonly Measurement[]> {
  const { durationMs, concurrency, signal, progress } = run;
  const [first] = stores as [Store, ...Store[]];
  const most = mostEventsOf(run);
  const within = (step: string, mostEvents: number): Limits => {
    progress(step, 0);
    return { durationMs, mostEvents, signal, tell: (events) => progress(step, events) };
  };
  const atOnce = concurrency === 1 ? '' : `, ${concurrency} at once`;
  const measurements: Measurement[] = [];
  const measure = async (name: Measurement['name'], title: string, work: Promise<Work>) => {
    measurements.push(toMeasurement(name, title, await work));
  };
  const single = { ...within('append', most.append), size: 1, concurrency, streams: 'Single' };
  await measure('append', `append one event${atOnce}`, measureAppends(stores, single));
  const batches = { ...within('batches', most.batch), size: batchSize, concurrency, streams: 'Batch' };
  await measure('append-batch', `append ${count(batchSize, 'event')}${atOnce}`, measureAppends(stores, batches));
  await measure('import', 'import', measureImport(first, within('import', most.import)));
  await measure('read', 'read the log', measureReading(first, within('read', Number.POSITIVE_INFINITY)));
  await measure('rebuild', 'rebuild a projection', measureRebuild(first, within('rebuild', Number.POSITIVE_INFINITY)));
  return measurements;
}

function mostEventsOf({ durationMs }: BenchOptions): typeof mostPerSecond {
  const { append, batch, import: imported } = mostPerSecond;
  const seconds = Math.min(durationMs / 1_000, mostTogether / (append + batch + imported));
  const limit = (perSecond: number) => Math.max(batchSize, Math.ceil(perSecond * seconds));
  return { append: limit(append), batch: limit(batch), import: limit(imported) };
}

function toMeasurement(
  name: Measurement['name'],
  title: string,
  { events, seconds, latencies = [] }: Work,
): Measurement {
  const sorted = Float64Array.from(latencies).sort();
  const nearest = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
  return {
    ...{ name, title, events, seconds: round(seconds, 3) },
    eventsPerSecond: events === 0 || seconds === 0 ? null : Math.round(events / seconds),
    medianMs: round(nearest(0.5), 2),
    p99Ms: sorted.length < fewLatencies ? null : round(nearest(0.99), 2),
  };
}

function round<Value extends number | null>(value: Value, digits: number): Value {
  return (value === null ? null : Number(value.toFixed(digits))) as Value;
}

function describeLimits({ engine, concurrency }: BenchPlan): readonly string[] {
  const oneWriter =
    'a SQLite file has one writer at a time: appends at once take turns, and a latency includes the wait for them';
  const sharedMachine = `${count(concurrency, 'append')} at once come from one process of Node.js, which has one thread`;
  return [
    ...(engine === 'sqlite' && concurrency > 1 ? [oneWriter] : []),
    ...(engine === 'postgres' && concurrency > 1 ? [sharedMachine] : []),
  ];
}
