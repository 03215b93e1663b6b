/**
 * Trials: programs that try to break what evstore promises of projections and rebuilds, with processes that are killed,
 * frozen and contend. Each prints its seed and a summary, and ends with 1 when anything was found.
 *
 *   npm run trials -- kills-of-runners [--kills 200] [--engine both|sqlite|postgres] [--seed 1] [--json FILE]
 *   npm run trials -- kills-of-rebuilds [--kills 100]
 *   npm run trials -- swaps-under-readers [--swaps 60]
 *   npm run trials -- kills-of-sagas [--sagas 1000] [--kills 50]
 *   npm run trials -- zombies [--rounds 2]
 *   npm run trials -- million [--events 1000000] [--durable]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Engine } from '../../src/store/store.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { killRebuilds } from './kills-of-rebuilds.js';
import { killRunners } from './kills-of-runners.js';
import { killSagas } from './kills-of-sagas.js';
import { rebuildMillion } from './million.js';
import { type PlaceOptions, withPlace } from './places.js';
import { describeReports } from './summary.js';
import { swapUnderReaders } from './swaps-under-readers.js';
import type { Trial, TrialReport } from './trial.js';
import { freezeZombies } from './zombies.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string' },
    sagas: { type: 'string' },
    swaps: { type: 'string' },
    rounds: { type: 'string' },
    engine: { type: 'string', default: 'both' },
    seed: { type: 'string', default: String(freshSeed()) },
    events: { type: 'string' },
    /** A Postgres of its own that waits for its disk. */
    durable: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const say = (text: string) => void process.stderr.write(`${text}\n`);
const numberOf = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text));

const place: PlaceOptions = { isDurable: values.durable };
const disk = values.durable ? 'waits for its disk' : 'as it is';

const trials: Readonly<Record<string, (trial: Trial) => Promise<TrialReport>>> = {
  'kills-of-runners': (trial) => killRunners(trial, numberOf(values.kills, 200)),
  'kills-of-rebuilds': (trial) => killRebuilds(trial, { kills: numberOf(values.kills, 100) }),
  'kills-of-sagas': (trial) =>
    killSagas(trial, { sagas: numberOf(values.sagas, 1_000), kills: numberOf(values.kills, 50), timeout: 20 }),
  'swaps-under-readers': (trial) => swapUnderReaders(trial, { swaps: numberOf(values.swaps, 60) }),
  zombies: (trial) => freezeZombies(trial, { rounds: numberOf(values.rounds, 2) }),
  million: (trial) => rebuildMillion(trial, { events: numberOf(values.events, 1_000_000), disk }),
};

process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', () => process.exit(130));

const engines: readonly Engine[] =
  values.engine === 'both' ? ['sqlite', 'postgres'] : [values.engine === 'postgres' ? 'postgres' : 'sqlite'];
const names = positionals.length === 0 ? Object.keys(trials) : positionals;
const reports: TrialReport[] = [];
for (const name of names) {
  const run = trials[name];
  if (run === undefined) throw new Error(`no trial ${name}: ${Object.keys(trials).join(', ')}`);
  for (const engine of engines) {
    say(`${name} on ${engine}, seed ${values.seed}`);
    const random = makeRandom(Number(values.seed));
    try {
      reports.push(await withPlace(engine, (test) => run({ test, random, say }), place));
    } catch (error) {
      const finding = error instanceof Error ? (error.stack ?? error.message) : String(error);
      reports.push({ trial: name, engine, seed: random.seed, facts: {}, findings: [finding] });
    }
  }
}
process.stdout.write(describeReports(reports));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, null, 2)}\n`);
process.exitCode = reports.every(({ findings }) => findings.length === 0) ? 0 : 1;
