/**
 * W1, W11, W12: version after version is built and swapped in, and every fifth taken back, under processes that read and
 * processes that append. No read fails, is torn, or sees a total go back; and how long readers wait.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHistory, History } from '../support/history.js';
import { type Program, runProgram } from '../support/program.js';
import { until } from '../support/wait.js';
import type { Readings } from './programs/reader.js';
import {
  Appenders,
  deploy,
  evstore,
  importOf,
  inFolder,
  percentile,
  succeed,
  type Trial,
  type TrialReport,
} from './trial.js';

export interface SwapOptions {
  readonly swaps: number;
  readonly readers?: number;
  readonly appenders?: number;
}

const name = 'swap_orders';
/** What is swapped is taken back every so many times. */
const rollbackEvery = 5;

/** Two tables that must agree; every row tells which version made it. */
function code(version: number): string {
  return `${importOf('sql', 'projection/define/sql-tag')}${importOf('defineSqlProjection', 'projection/define/definition')}
export default defineSqlProjection({
  name: '${name}',
  version: ${version},
  category: 'Order',
  tables: ['swap_orders', 'swap_sums'],
  create: (t) => [
    sql\`create table \${t.swap_orders} (order_id text primary key, events integer not null, made_by integer not null)\`,
    sql\`create table \${t.swap_sums} (order_id text primary key, events integer not null, made_by integer not null)\`,
  ],
  on: {
    AmountAdded: ({ streamId }, t) => [
      sql\`insert into \${t.swap_orders} (order_id, events, made_by) values (\${streamId}, 1, ${version})
          on conflict (order_id) do update set events = \${t.swap_orders}.events + 1\`,
      sql\`insert into \${t.swap_sums} (order_id, events, made_by) values (\${streamId}, 1, ${version})
          on conflict (order_id) do update set events = \${t.swap_sums}.events + 1\`,
    ],
  },
});
`;
}

export function swapUnderReaders(trial: Trial, options: SwapOptions): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random, say = () => {} } = trial;
    const { swaps, readers: readerCount = 6, appenders: appenderCount = 4 } = options;
    const findings: string[] = [];
    const history = new History();
    const folders = new Map<number, string>();
    const folderOf = (version: number) => {
      const folder = folders.get(version) ?? deploy(parent, `v${version}`, code(version));
      folders.set(version, folder);
      return folder;
    };
    const command = (version: number, ...args: string[]) =>
      succeed(evstore(trial, folderOf(version), args), `${args.join(' ')} (version ${version})`, findings);
    let runner: Program | undefined;
    const runAs = async (version: number) => {
      await runner?.kill('SIGTERM');
      runner = evstore(trial, folderOf(version), ['run']);
      await until(() => /running from/.test(runner?.stderr ?? '') || runner?.process.exitCode !== null, 'a runner');
    };

    const appenders = new Appenders(test, appenderCount, 200);
    await appenders.started();
    await command(1, 'run', '--once');
    await runAs(1);
    const readers = Array.from({ length: readerCount }, () =>
      runProgram('test/trials/programs/reader.ts', [test.engine, test.url]),
    );
    const begin = (phase: string) => readers.map((reader) => reader.process.stdin.write(`${phase}\n`));

    await Promise.all(readers.map((reader) => reader.printed(1)));
    begin('quiet');
    await sleep(Math.max(3_000, swaps * 150));
    begin('filling');
    for (let round = 0; round < Math.ceil(swaps / 6); round += 1) {
      await command(2, 'rebuild', name, '--no-swap');
      await command(2, 'abort', name, '--yes');
    }
    begin('swapping');
    let live = 1;
    let rollbacks = 0;
    for (let swap = 1; swap <= swaps && findings.length === 0; swap += 1) {
      const version = swap + 1;
      await command(version, 'rebuild', name);
      await runAs(version);
      if (swap % rollbackEvery === 0) {
        await command(live, 'rollback', name, '--yes');
        await runAs(live);
        await command(version, 'abort', name, '--yes');
        rollbacks += 1;
      } else live = version;
      await command(live, 'gc', '--now', '--yes');
      if (swap % 10 === 0) say(`${swap} swaps on ${test.engine}, ${findings.length} findings`);
    }
    begin('end');
    const readings = await Promise.all(readers.map((reader) => endReader(reader, findings)));
    await appenders.stop(history, findings);
    await runner?.kill('SIGTERM');
    await command(live, 'run', '--once');
    await command(live, 'verify');
    findings.push(...(await checkTotals(trial, history)), ...checkHistory(history));
    const waits = (phase: string) => readings.flatMap((reading) => reading.waits[phase] ?? []);
    const p99 = (phase: string) => percentile(waits(phase), 0.99);
    return {
      trial: 'swaps-under-readers',
      engine: test.engine,
      seed: random.seed,
      facts: {
        swaps,
        rollbacks,
        readers: readerCount,
        appenders: appenderCount,
        events: history.deliveries.get('log')?.length ?? 0,
        'p99 while swapping / quiet': round(p99('swapping') / p99('quiet')),
        'p99 while swapping / filling': round(p99('swapping') / p99('filling')),
      },
      rows: ['quiet', 'filling', 'swapping'].map((phase) => ({
        phase,
        reads: waits(phase).length,
        'p50 ms': percentile(waits(phase), 0.5),
        'p99 ms': p99(phase),
        'p99.9 ms': percentile(waits(phase), 0.999),
        'longest ms': percentile(waits(phase), 1),
      })),
      findings: [...findings, ...readings.flatMap((reading) => reading.findings)],
    };
  });
}

async function endReader(reader: Program, findings: string[]): Promise<Readings> {
  reader.process.stdin.end();
  await reader.ended;
  const [, line] = reader.lines;
  if (line !== undefined) return JSON.parse(line) as Readings;
  findings.push(`a reader ended by itself: ${reader.stderr}`);
  return { waits: {}, findings: [] };
}

async function checkTotals({ test }: Trial, history: History): Promise<string[]> {
  const events = [];
  for await (const batch of test.store.log.readAll()) events.push(...batch.events);
  history.deliver('log', events);
  const [row] = await test.raw.query(
    'select (select sum(events) from swap_orders) as orders, (select sum(events) from swap_sums) as total',
  );
  if (Number(row?.orders) === events.length && Number(row?.total) === events.length) return [];
  return [`at the end: ${events.length} events, ${row?.orders} in the orders, ${row?.total} in their sum`];
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
