/**
 * Benchmarks: evstore beside what else does the same work, in the same minutes, on the same machine and database.
 *
 *   npm run bench -- NAME|all [--events N] [--runs N] [--engine postgres|sqlite|both] [--markdown]
 *
 * Prints a table for each comparison and writes it as JSON to bench/results/. Ends with 1 when a bound was missed, or
 * something could not be measured or was not right.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/store/store.js';
import { isMet, type Report } from './report.js';
import { renderComparison, renderMarkdown } from './table.js';
import type { Work } from './works/work.js';

const names = [
  'append',
  'import',
  'export',
  'rebuild',
  'tail',
  'start',
  'lag',
  'memory',
  'growth',
  'swap',
  'fanout',
  'standby',
  'sagas',
] as const;
const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string) => void process.stderr.write(`${line}\n`);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: 'string' },
    runs: { type: 'string' },
    engine: { type: 'string', default: 'both' },
    markdown: { type: 'boolean', default: false },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const chosen = chooseWorks(positionals);
const engines = chooseEngines(values.engine);
await makeReady();
const { withPlace } = await import('./place.js');
let isGood = true;
for (const name of chosen) {
  const { work } = (await import(`./works/${name}.ts`)) as { work: Work };
  for (const engine of engines) {
    const events = roundToOrders(Number(values.events ?? work.events));
    const runs = Number(values.runs ?? work.runs);
    const comparisons = await withPlace(engine, (place) => work.run({ place, events, runs, say })).catch((error) => {
      say(`${name} on ${engine} failed: ${error instanceof Error ? error.stack : error}`);
      isGood = false;
      return [];
    });
    for (const comparison of comparisons) {
      process.stdout.write(`${values.markdown ? renderMarkdown(comparison) : renderComparison(comparison)}\n`);
    }
    if (comparisons.length > 0) writeResult({ work: name, engine, comparisons });
    isGood &&= isMet(comparisons);
  }
}
process.exitCode = isGood ? 0 : 1;

function chooseWorks(asked: readonly string[]): readonly string[] {
  const unknown = asked.filter((name) => name !== 'all' && !names.includes(name as (typeof names)[number]));
  if (asked.length > 0 && unknown.length === 0) return asked.includes('all') ? names : asked;
  say(`usage: npm run bench -- ${names.join('|')}|all [--events N] [--runs N] [--engine ENGINE] [--markdown]`);
  process.exit(2);
}

function chooseEngines(engine: string): readonly Engine[] {
  if (engine === 'both') return ['postgres', 'sqlite'];
  if (engine === 'postgres' || engine === 'sqlite') return [engine];
  say(`no engine ${engine}: postgres, sqlite, both`);
  process.exit(2);
}

/** Whole orders, in a tenth of it too. */
function roundToOrders(events: number): number {
  return Math.ceil(events / 100) * 100;
}

/** The yardsticks are packages of their own, and what is measured is what would be published. */
async function makeReady(): Promise<void> {
  if (!existsSync(`${here}node_modules/.package-lock.json`)) run('npm', ['ci', '--no-audit', '--no-fund'], here);
  if (!existsSync(`${root}dist/bin/evstore.js`)) run('npm', ['run', 'build'], root);
}

function run(file: string, args: readonly string[], cwd: string): void {
  say(`${file} ${args.join(' ')} in ${cwd}`);
  execFileSync(file, args, { cwd, stdio: ['ignore', 2, 2] });
}

function writeResult(report: Report): void {
  const machine = {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    processors: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
  };
  const at = new Date().toISOString();
  mkdirSync(`${here}results`, { recursive: true });
  const path = `${here}results/${at.replaceAll(':', '').slice(0, 17)}-${report.work}-${report.engine}.json`;
  writeFileSync(path, `${JSON.stringify({ at, machine, ...report }, null, 2)}\n`);
  say(`written to ${path}`);
}
