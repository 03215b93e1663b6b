/**
 * Questions: each command that tells something, on 10,000 events and on a long log of the same shape. A question may take
 * at most twice as long on the long log, start included, unless it has to read the log; then it says so before it begins, and
 * Ctrl-C ends it within a second.
 *
 *   npm run bench:questions -- [--events N] [--runs N] [--engine postgres|sqlite|both] [--only TEXT] [--keep | --on URL,URL]
 *
 * Prints a table for each engine, in Markdown. Ends with 1 when a bound was missed, or an answer was not as expected.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/store/store.js';
import { connectPostgres, connectSqlite } from '../test/support/raw.js';
import { type Place, withPlace } from './place.js';
import { fillForQuestions, findFacts, writeConfig } from './questions/fill.js';
import { type Asked, indexed, type Question, questions, scanners } from './questions/list.js';
import { median } from './statistics.js';

const program = fileURLToPath(new URL('../dist/bin/evstore.js', import.meta.url));
const few = 10_000;
const mostTimes = 2;
/** After which a scan is stopped, and how long it may then take. */
const [scanMs, stopMs] = [1_000, 1_000];
const say = (line: string) => void process.stderr.write(`${line}\n`);
const print = (line: string) => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    runs: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'both' },
    /** Only questions that contain this text. */
    only: { type: 'string', default: '' },
    /** Only makes the stores, and keeps them until it is stopped. */
    keep: { type: 'boolean', default: false },
    /** Asks two stores that are kept, the short one first. */
    on: { type: 'string' },
  },
});
const runs = Number(values.runs);
let isGood = true;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const engines = values.engine === 'both' ? (['postgres', 'sqlite'] as const) : [values.engine as Engine];
if (values.on !== undefined) await measureKept(values.on.split(','));
else for (const engine of engines) await withPlace(engine, fillAndMeasure);
process.exitCode = isGood ? 0 : 1;

async function fillAndMeasure(place: Place): Promise<void> {
  writeConfig(place);
  const stores = [await fillForQuestions(place, few, say), await fillForQuestions(place, Number(values.events), say)];
  const asked = stores.map(({ store, facts }) => ({ url: store.url, facts })) as [Asked, Asked];
  if (values.keep) {
    say(`kept: --on ${asked.map(({ url }) => url).join(',')}`);
    await new Promise(() => setInterval(() => {}, 60_000));
  }
  await measure(place, asked);
  for (const { store } of stores) await store.remove();
}

async function measureKept(urls: readonly string[]): Promise<void> {
  const engine: Engine = urls[0]?.startsWith('sqlite:') ? 'sqlite' : 'postgres';
  const folder = mkdtempSync(join(tmpdir(), 'evstore-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  writeConfig({ folder });
  const asked: Asked[] = [];
  for (const [at, url] of urls.entries()) {
    const raw = engine === 'postgres' ? await connectPostgres(url) : connectSqlite(url.slice('sqlite:'.length));
    asked.push({ url, facts: await findFacts({ engine }, { raw }, at === 0 ? few : Number(values.events)) });
    await raw.close();
  }
  await measure({ engine, folder }, asked as [Asked, Asked]);
}

async function measure(place: Pick<Place, 'engine' | 'folder'>, [short, long]: readonly [Asked, Asked]): Promise<void> {
  print(`\n${place.engine}: milliseconds, median of ${runs}\n`);
  await compare(place, questions, [short, long]);
  await stopScanners(place, scanners, long);
  for (const { url } of [short, long])
    await end(spawnFor(place, ['init', '--no-config', '--index', 'correlation'], url));
  print('\nWith indexes on ids:\n');
  await compare(place, indexed, [short, long]);
}

async function compare(
  place: Pick<Place, 'engine' | 'folder'>,
  list: readonly Question[],
  [short, long]: readonly [Asked, Asked],
): Promise<void> {
  print(`| command | ${few} | ${values.events} | ratio | without start | scans | |\n|---|---:|---:|---:|---:|---|---|`);
  for (const question of list.filter((each) => isWanted(each, long))) {
    const { exit = 0, limitMs = Number.POSITIVE_INFINITY, says = /^/ } = question;
    const scans = question.scans === true || question.scans === place.engine;
    const asked = [question.ask(short.facts), question.ask(long.facts)] as const;
    const name = asked[1].join(' ').replaceAll('|', '\\|');
    try {
      const [a, b, start] = await time(place, asked, [short, long], { exit, says, times: scans ? 1 : runs });
      const own = a > start ? ((b - start) / (a - start)).toFixed(1) : '';
      const ratio = b / a;
      const isMissed = (!scans && ratio > mostTimes) || b > limitMs;
      if (isMissed) isGood = false;
      const cells = [Math.round(a), Math.round(b), ratio.toFixed(2), own, scans ? 'yes' : 'no'];
      print(`| \`${name}\` | ${cells.join(' | ')} | ${isMissed ? 'missed' : ''} |`);
    } catch (error) {
      isGood = false;
      print(`| \`${name}\` | | | | | | ${error instanceof Error ? error.message.replaceAll('\n', ' ') : error} |`);
    }
  }
}

function isWanted(question: Question, { facts }: Asked): boolean {
  return question.ask(facts).join(' ').includes(values.only);
}

/** In turns. */
async function time(
  place: Pick<Place, 'folder'>,
  asked: readonly [readonly string[], readonly string[]],
  stores: readonly [Asked, Asked],
  { exit, says, times }: { readonly exit: number; readonly says: RegExp; readonly times: number },
): Promise<readonly [short: number, long: number, start: number]> {
  const figures: [number[], number[], number[]] = [[], [], []];
  // The first run warms what later ones find warm.
  for (let run = 0; run <= times; run += 1) {
    const versionAt = performance.now();
    await end(spawnFor(place, ['version'], stores[0].url));
    if (run > 0) figures[2].push(performance.now() - versionAt);
    for (const at of [0, 1] as const) {
      const startedAt = performance.now();
      const { code, stdout, stderr } = await end(spawnFor(place, asked[at], stores[at].url));
      if (run > 0) figures[at].push(performance.now() - startedAt);
      if (code !== exit) throw new Error(`exit code ${code}, not ${exit}: ${stderr.slice(0, 300)}`);
      if (!says.test(stdout)) throw new Error(`answered ${stdout.slice(0, 100)}`);
    }
  }
  return [median(figures[0]), median(figures[1]), median(figures[2])];
}

async function stopScanners(
  place: Pick<Place, 'folder'>,
  list: readonly Question[],
  { url, facts }: Asked,
): Promise<void> {
  print(`\n| scan | ends by itself after | says | exit code | stopped after |\n|---|---:|---|---:|---:|`);
  for (const question of list.filter((each) => isWanted(each, { url, facts }))) {
    const args = question.ask(facts);
    const child = spawnFor(place, args, url);
    const startedAt = performance.now();
    let stoppedAt = Number.NaN;
    const timer = setTimeout(() => {
      stoppedAt = performance.now();
      child.kill('SIGINT');
    }, scanMs);
    const { code, stderr } = await end(child);
    clearTimeout(timer);
    const took = performance.now() - stoppedAt;
    const isStopped = !Number.isNaN(took);
    if (isStopped && (code !== 130 || took > stopMs || stderr === '')) isGood = false;
    const ended = isStopped ? '' : `${Math.round(performance.now() - startedAt)} ms`;
    const said = stderr.trim().replaceAll('\n', ' / ').replaceAll('|', '\\|').slice(0, 150);
    print(`| \`${args.join(' ')}\` | ${ended} | ${said} | ${code} | ${isStopped ? `${Math.round(took)} ms` : ''} |`);
  }
}

function spawnFor({ folder }: Pick<Place, 'folder'>, args: readonly string[], url: string): ChildProcess {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH, HOME: folder, EVSTORE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.removeListener('exit', kill));
  return child;
}

/** Keeps the beginning of what it prints. */
async function end(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    if (stdout.length < 10_000) stdout += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    if (stderr.length < 10_000) stderr += piece;
  });
  const [code, signal] = await once(child, 'close');
  // As a shell tells it.
  return { code: signal === 'SIGINT' ? 130 : code, stdout, stderr };
}
