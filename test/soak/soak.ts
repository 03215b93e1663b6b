/**
 * Everything at once, for as long as asked: appends, imports and plain SQL, by processes that are killed, over a wire
 * that is cut, on a server that restarts, followed by readers that must miss nothing. Exits 1 when anything was found.
 *
 *   npm run soak -- --minutes 60 [--seed 1] [--round-seconds 20]
 */
import { parseArgs } from 'node:util';
import { freshSeed, makeRandom } from '../support/random.js';
import { soakPostgres } from './postgres.js';
import type { RoundReport } from './round.js';
import { soakSqlite } from './sqlite.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(freshSeed()) },
    'round-seconds': { type: 'string', default: '20' },
  },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const endsAt = Date.now() + Number(values.minutes) * 60_000;
const roundMs = Number(values['round-seconds']) * 1_000;
const total = { appends: 0, events: 0, faults: 0, findings: 0 };

say(`soak of ${values.minutes} minutes, seed ${values.seed}`);
for (let round = 0; Date.now() < endsAt; round++) {
  const random = makeRandom(Number(values.seed) + round);
  const soak = round % 2 === 0 ? soakPostgres : soakSqlite;
  const report: RoundReport = await soak(random, Math.min(roundMs, Math.max(1_000, endsAt - Date.now())));
  const faults = Object.entries(report.faults).map(([name, count]) => `${count} × ${name}`);
  say(`round ${round} on ${report.engine}, seed ${random.seed}: ${report.appends} appends, ${report.events} events`);
  say(`  ${faults.join(', ')}`);
  for (const finding of report.findings.slice(0, 20)) say(`  FOUND ${finding}`);
  total.appends += report.appends;
  total.events += report.events;
  total.faults += Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  total.findings += report.findings.length;
}
say(`${total.appends} appends, ${total.events} events, ${total.faults} faults injected, ${total.findings} findings`);
process.exitCode = total.findings === 0 ? 0 : 1;
