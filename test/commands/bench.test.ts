/** `bench`: measures in a scratch store that is gone afterwards, however it ends. */
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { Engine } from '../../src/store/store.js';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { makeEvent } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { killPrograms, type Program, runProgram } from '../support/program.js';
import { until } from '../support/wait.js';

allowMoreTime('five measurements, a rebuild and its indexes; processes that are started and stopped');

const names = ['append', 'append-batch', 'import', 'read', 'rebuild'];

/** What is there of scratch stores, as another program sees it. */
async function findScratch({ engine, url, raw }: TestStore): Promise<readonly string[]> {
  if (engine === 'postgres') {
    const rows = await raw.query("select nspname from pg_namespace where nspname like 'evstore_bench%'");
    return rows.map((row) => String(Object.values(row)[0]));
  }
  return readdirSync(dirname(url.slice('sqlite:'.length))).filter((name) => name.includes('evstore_bench'));
}

const cliOf =
  ({ url }: TestStore) =>
  (...argv: string[]) =>
    runCli(argv, { env: { EVSTORE_URL: url } });

/** A bench as a process, when it measures in its scratch store. */
async function startBench(test: TestStore): Promise<Program> {
  const args = ['bench', '--duration', '10m', '--progress', 'json', '--json'];
  const program = runProgram('bin/evstore.ts', args, {
    cwd: makeFolder(),
    env: { PATH: process.env.PATH, EVSTORE_URL: test.url },
  });
  await until(async () => /"step":"append","done":[1-9]/.test(program.stderr));
  return program;
}

function isSchema(engine: Engine): boolean {
  return engine === 'postgres';
}

forEachEngine((engine) => {
  test('the report has five measurements, the log is as it was, and nothing is left', () =>
    withTestStore(engine, async (store) => {
      await store.store.log.append('Order-1', [makeEvent()], 'any');
      const { code, stdout, stderr } = await cliOf(store)(
        'bench',
        '--duration',
        '200ms',
        '--concurrency',
        '3',
        '--json',
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ dryRun: false, engine, durationMs: 200, concurrency: 3, leftovers: [] });
      expect(report.measurements.map(({ name }: { name: string }) => name)).toEqual(names);
      for (const { events, seconds, eventsPerSecond } of report.measurements) {
        expect(events).toBeGreaterThan(0);
        expect(eventsPerSecond / (events / seconds)).toBeCloseTo(1, 1);
      }
      const [append, batch, imported, read, rebuild] = report.measurements;
      expect(append.medianMs).toBeGreaterThan(0);
      expect(batch.medianMs).toBeGreaterThan(0);
      for (const each of [imported, read, rebuild]) expect(each).toMatchObject({ medianMs: null, p99Ms: null });
      // Each worker's first append of either kind is made before the clock starts.
      expect(rebuild.events).toBe(append.events + batch.events + imported.events + 3 * (1 + 100));
      expect(report.scratch.bytes).toBeGreaterThan(0);
      expect(report.scratch.bytes).toBeLessThan(report.scratch.mostBytes);
      expect(report.conditions.map((fact: { name: string }) => fact.name)).toContain('server');
      expect(await findScratch(store)).toEqual([]);
      expect((await store.store.log.head()).head).toBe(1);
      expect(await store.store.projections.list()).toEqual([]);
    }));

  test('people get a table, what was not measured is –, and progress from the start', () =>
    withTestStore(engine, async (store) => {
      const { stdout, stderr } = await cliOf(store)(
        'bench',
        '--duration',
        '100ms',
        '--concurrency',
        '1',
        '-o',
        'table',
      );
      const lines = stdout.trimEnd().split('\n');
      expect(lines[0]).toMatch(/^measurement +events\/s +median ms +p99 ms +events +seconds$/);
      expect(lines).toHaveLength(names.length + 1);
      expect(lines[4]).toMatch(/^read the log +[\d,]+ +– +– /);
      expect(stderr).toMatch(/^writes at most .* MB, .* events, to .*, and drops it at the end/);
      expect(stderr).toContain('bench: scratch store: 0\n');
      expect(stderr).toContain('these figures are of this machine at this moment');
    }));

  test('--quiet prints the rates alone', () =>
    withTestStore(engine, async (store) => {
      const { stdout, stderr } = await cliOf(store)('bench', '--duration', '100ms', '-q');
      expect(stdout).toMatch(/^(\d+\n){5}$/);
      expect(stderr).toBe('');
    }));

  test('--dry-run says what would be written, and writes nothing', () =>
    withTestStore(engine, async (store) => {
      const { code, stdout } = await cliOf(store)('bench', '--dry-run', '--json');
      expect(code).toBe(0);
      const plan = JSON.parse(stdout);
      expect(plan).toMatchObject({ dryRun: true, measurements: [], durationMs: 3000, concurrency: 4 });
      expect(plan.scratch.mostBytes).toBeGreaterThan(1_000_000);
      expect(plan.scratch.place).toContain(
        isSchema(engine) ? 'a schema of its own in postgres://' : 'a file of its own',
      );
      expect((await cliOf(store)('bench', '--dry-run')).stderr).toMatch(/^would write at most/);
      expect(await findScratch(store)).toEqual([]);
    }));

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal}: the scratch store is dropped`, () =>
      withTestStore(engine, async (store) => {
        const bench = await startBench(store);
        expect(await findScratch(store)).not.toEqual([]);
        bench.process.kill(signal);
        // Ends by the signal itself.
        expect(await bench.ended).toBeNull();
        expect(bench.process.signalCode).toBe(signal);
        expect(await findScratch(store)).toEqual([]);
        expect(bench.lines).toEqual([]);
      }));
  }

  test('what a killed process left behind is named by bench and doctor, and dropped by --clean', () =>
    withTestStore(engine, async (store) => {
      const cli = cliOf(store);
      const bench = await startBench(store);
      try {
        // The store is in use, so no one may drop it.
        expect(JSON.parse((await cli('bench', '--clean', '--yes', '--json')).stdout)).toMatchObject({ dropped: [] });
        expect((await cli('doctor', '--json')).stdout).not.toContain('scratch-store');
      } finally {
        await bench.kill();
      }
      // The server may notice the end of the process later.
      await until(async () => (await store.store.scratch.list()).every(({ isInUse }) => !isInUse));
      const [{ name } = { name: '' }] = await store.store.scratch.list();
      expect(await findScratch(store)).toContain(name);
      const planned = await cli('bench', '--dry-run');
      expect(planned.stderr).toContain(`warning: ${name} takes`);
      expect(planned.stderr).toContain('evstore bench --clean');
      const { findings } = JSON.parse((await cli('doctor', '--json')).stdout);
      const found = findings.filter(({ kind }: { kind: string }) => kind === 'scratch-store');
      expect(found).toMatchObject([{ subject: name, severity: 'note', next: 'evstore bench --clean' }]);
      expect(await cli('bench', '--clean')).toMatchObject({ code: 8 });
      const dry = await cli('bench', '--clean', '--dry-run', '--json');
      expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, dropped: [{ name }] });
      expect(await findScratch(store)).toContain(name);
      expect(await cli('bench', '--clean', '--yes')).toMatchObject({ code: 0 });
      expect(await findScratch(store)).toEqual([]);
      expect((await cli('doctor', '--json')).stdout).not.toContain('scratch-store');
    }).finally(killPrograms));

  test('nothing but a scratch store is dropped as one', () =>
    withTestStore(engine, async ({ store }) => {
      for (const name of ['public', 'store.db', 'evstore_bench_', '../store.db.evstore_bench_0123456789ab']) {
        await expect(store.scratch.remove(name)).rejects.toMatchObject({ code: 'E_USAGE' });
      }
    }));

  test('a protected store asks for its name before anything is written', () =>
    withTestStore(engine, async (store) => {
      const cwd = makeFolder();
      const config = { stores: { shop: { url: store.url, protected: true } } };
      writeFileSync(join(cwd, 'evstore.config.json'), JSON.stringify(config));
      const bench = (...argv: string[]) =>
        runCli(['bench', '--duration', '100ms', '--store', 'shop', ...argv], { cwd });
      const refused = await bench();
      expect(refused.code).toBe(8);
      expect(refused.stderr).toContain('--confirm shop');
      expect(await findScratch(store)).toEqual([]);
      expect(await bench('--dry-run')).toMatchObject({ code: 0 });
      expect(await bench('--confirm', 'shop')).toMatchObject({ code: 0 });
    }));
});

describe('what is asked for', () => {
  test.each([
    ['--duration', '0s'],
    ['--duration', '-5s'],
    ['--duration', '11m'],
    ['--duration', '5'],
    ['--duration', '99ms'],
    ['--concurrency', '0'],
    ['--concurrency', '-1'],
    ['--concurrency', '1000000000'],
    ['--concurrency', '1.5'],
  ])('%s %s is refused, with what is possible', (name, value) =>
    withTestStore('sqlite', async (store) => {
      const { code, stderr } = await cliOf(store)('bench', name, value);
      expect(code).toBe(2);
      expect(stderr).toContain(name === '--duration' ? '100ms to 10m' : '1 to 64');
    }),
  );

  test('--clean takes no options of a measurement', () =>
    withTestStore('sqlite', async (store) => {
      expect(await cliOf(store)('bench', '--clean', '--duration', '1s')).toMatchObject({ code: 2 });
    }));
});

test('an account that may not create a schema is told which privilege it lacks', () =>
  withTestStore('postgres', async (store) => {
    const { url, raw } = store;
    const role = inject('databasePrefix').replace(/^evstore_test_/, 'bench');
    await raw.query(`create role ${role} login password 'x'`);
    await raw.query(`grant select, insert on all tables in schema public to ${role}`);
    try {
      const limited = new URL(url);
      limited.username = role;
      limited.password = 'x';
      const bench = (...argv: string[]) => runCli(['bench', '--duration', '100ms', '--store', limited.href, ...argv]);
      const { code, stderr } = await bench();
      expect(code).toBe(3);
      expect(stderr).toContain(`${role} may not create a schema in database`);
      expect(stderr).toContain('E_PERMISSION');
      const [, grant = ''] = /-c '(grant .*)'/.exec(stderr) ?? [];
      expect((await bench('--dry-run')).code).toBe(3);
      await raw.query(grant);
      expect(await bench()).toMatchObject({ code: 0 });
      expect(await findScratch(store)).toEqual([]);
    } finally {
      await raw.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  }));

test.runIf(process.getuid?.() !== 0)('a folder in which no file can be made is named', () =>
  withTestStore('sqlite', async ({ url, store }) => {
    const folder = dirname(url.slice('sqlite:'.length));
    chmodSync(folder, 0o555);
    try {
      await expect(store.scratch.make()).rejects.toMatchObject({ code: 'E_PERMISSION' });
    } finally {
      chmodSync(folder, 0o755);
    }
  }),
);
