import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('a new version: stale, planned, rebuilt, rolled back, swapped in again, collected', () =>
    withShop(engine, async ({ test, evstore, report, writeProjection }) => {
      await placeOrders(test.store, 30);
      await evstore('run', '--once');
      writeProjection(2);
      expect((await report('projections')).projections).toMatchObject([{ state: 'stale', version: 1, codeVersion: 2 }]);

      const plan = await evstore('rebuild', 'order_summary', '--dry-run');
      expect(plan.stdout).toContain('rebuild order_summary (version 1 → 2)');
      expect(plan.stdout).toContain('reads OrderPlaced, OrderRemoved of category Order up to position 30');
      expect(await test.store.projections.rebuilds()).toEqual([]);

      expect(await report('rebuild', 'order_summary')).toMatchObject({
        dryRun: false,
        rebuilds: [{ projection: 'order_summary', outcome: 'swapped', fromVersion: 1, toVersion: 2, position: 30 }],
      });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect((await report('projections')).projections).toMatchObject([{ state: 'current', version: 2, kept: [1] }]);

      const unsure = await evstore('rollback', 'order_summary');
      expect(unsure.code).toBe(8);
      expect(unsure.stderr).toContain('The code of version 1 of order_summary is not loaded');
      expect(unsure.stderr).toContain('they stay at position 30, where the live ones are');
      writeProjection(1);
      const dry = await report('rollback', 'order_summary', '--dry-run');
      expect(dry).toMatchObject({ dryRun: true, version: 1, caughtUp: true });
      await placeOrders(test.store, 10, 10, 30);
      const back = await report('rollback', 'order_summary', '--yes');
      expect(back).toMatchObject({ dryRun: false, version: 1, oldPosition: 30, position: 40, caughtUp: true });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));

      writeProjection(2);
      expect((await evstore('swap', 'order_summary', '--dry-run')).stdout).toContain('version 2 would become live');
      expect(await report('swap', 'order_summary', '--keep-old', '0s')).toMatchObject({
        rebuild: { state: 'swapped', version: 2 },
      });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));

      expect((await evstore('gc')).code).toBe(8);
      expect(await report('gc', '--dry-run')).toMatchObject({
        dryRun: true,
        dropped: [{ projection: 'order_summary' }],
      });
      expect(await report('gc', '--yes')).toMatchObject({ dryRun: false, dropped: [{ projection: 'order_summary' }] });
      expect(await report('gc', '--yes')).toMatchObject({ dropped: [], kept: 0 });
      expect((await evstore('rollback', 'order_summary', '--yes')).code).toBe(6);
    }));

  test('a rebuild that read no event replaces live rows only with --yes-empty', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await evstore('run', '--once');
      await test.raw.query("insert into order_summary (order_id, events, total) values ('Order-1', 1, 1)");
      const refused = await evstore('rebuild', 'order_summary');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('the rebuild of order_summary read no event, and would replace 1 live row');
      const again = await evstore('swap', 'order_summary');
      expect(again.code).toBe(1);
      expect(again.stderr).toContain('evstore swap order_summary --yes-empty');
      expect(await actualRows(test)).toHaveLength(1);
      await report('swap', 'order_summary', '--yes-empty');
      expect(await actualRows(test)).toEqual([]);
    }));

  test('gc keeps old tables until their time is over, unless --now', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 5);
      await evstore('run', '--once');
      await evstore('rebuild', 'order_summary');
      expect(await report('gc', '--yes')).toMatchObject({ dropped: [], kept: 1 });
      expect(await report('gc', '--now', '--yes')).toMatchObject({
        dropped: [{ projection: 'order_summary' }],
        kept: 0,
      });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));

  test('--no-swap, other code, --restart, abort', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      await placeOrders(test.store, 20);
      await evstore('run', '--once');
      writeProjection(2);
      const ready = await evstore('rebuild', 'order_summary', '--no-swap');
      expect(ready).toMatchObject({ code: 0 });
      expect(ready.stdout.split('\n')).toHaveLength(2);
      expect(ready.stderr).toContain('swap it in with: evstore swap order_summary');
      writeProjection(3);
      const refused = await evstore('rebuild', 'order_summary');
      expect(refused.code).toBe(5);
      expect(refused.stderr).toContain('next: evstore rebuild order_summary --restart');
      expect(refused.stderr).toContain('evstore abort order_summary');
      expect((await evstore('swap', 'order_summary')).code).toBe(2);
      expect((await evstore('abort', 'order_summary')).code).toBe(8);
      expect((await evstore('abort', 'order_summary', '--dry-run')).stdout).toContain('would be dropped');
      expect((await evstore('abort', 'order_summary', '--yes')).stdout).toContain('dropped');
      expect((await evstore('abort', 'order_summary', '--yes')).code).toBe(6);
      for (const command of ['abort', 'rollback']) {
        const unknown = await evstore(command, 'order_sumary', '--yes');
        expect({ code: unknown.code, stderr: unknown.stderr }).toMatchObject({
          code: 6,
          stderr: expect.stringContaining('Did you mean order_summary?'),
        });
      }
      expect((await evstore('rebuild', 'order_summary', '--resume')).code).toBe(6);
      expect((await evstore('rebuild', 'order_summary', '--no-swap')).code).toBe(0);
      expect((await evstore('rebuild', '--all', '--restart')).code).toBe(0);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));

  test('--max-diff: exit 1 before the swap when more rows differ', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 20);
      await evstore('run', '--once');
      await test.raw.query("delete from order_summary where order_id = 'Order-1'");
      const { code, stdout, stderr } = await evstore('rebuild', 'order_summary', '--max-diff', '0');
      expect(code).toBe(1);
      expect(stdout).toBe('order_summary: not swapped: version 1 did not pass its check at position 20\n');
      expect(stderr).toContain('(E_CHECK_FAILED)');
      expect(stderr).toContain('the rebuilt one is kept: swap it in with: evstore swap order_summary');
      expect(await actualRows(test)).toHaveLength(8);
      expect((await evstore('swap', 'order_summary')).code).toBe(0);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));
});

forEachEngine((engine) => {
  test('--dry-run shows what it would read, create and lock, and writes nothing', () =>
    withShop(engine, async ({ test, evstore, report, writeProjection }) => {
      await placeOrders(test.store, 30);
      await evstore('run', '--once');
      writeProjection(2);
      const tables = async () => {
        const catalogue =
          engine === 'sqlite'
            ? "select name from sqlite_schema where name not like 'sqlite%' order by name"
            : "select relname as name from pg_class where relnamespace = 'public'::regnamespace order by relname";
        return (await test.raw.query(catalogue)).map(({ name }) => name);
      };
      const before = await tables();
      const {
        rebuilds: [plan],
      } = await report('rebuild', 'order_summary', '--dry-run', '--keep-old', '2h', '--lock-timeout', '3s');
      expect(plan).toMatchObject({
        projection: 'order_summary',
        action: 'start',
        resumes: null,
        matching: { amount: 30, how: 'counted' },
        rows: { amount: (await expectedRows(test.store)).length },
        names: [{ live: 'order_summary', built: 'order_summary__v2_1', old: 'order_summary__old_1' }],
        swap: { lockTimeoutMs: 3_000, maxWaitMs: 60_000 },
        rollback: { possible: true, keepOldMs: 7_200_000, version: 1, caughtUp: false },
      });
      expect(plan.bytes).toBeGreaterThan(0);
      expect(plan.freeBytes === null).toBe(engine === 'postgres');
      const { stdout } = await evstore('rebuild', 'order_summary', '--dry-run');
      expect(stdout).toContain('30 events to read');
      expect(stdout).toContain('creates order_summary__v2_1; the swap keeps the live one as order_summary__old_1');
      expect(stdout).toContain(
        engine === 'postgres' ? 'order_summary__v2_1 (access exclusive)' : 'the store, against other writers',
      );
      expect(stdout).toContain('rollback: for 1 d after the swap, to version 1, caught up if the code of version 1');
      const noSwap = await report('rebuild', 'order_summary', '--dry-run', '--no-swap', '--keep-old', '0s');
      expect(noSwap.rebuilds).toMatchObject([{ swap: null, rollback: { possible: false } }]);
      expect(await tables()).toEqual(before);
      expect(await test.store.projections.rebuilds()).toEqual([]);
    }));

  test('--dry-run shows what a resumed rebuild keeps, and why a projection cannot be rebuilt', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      await placeOrders(test.store, 30);
      await evstore('run', '--once');
      await evstore('rebuild', 'order_summary', '--no-swap');
      const resumed = await evstore('rebuild', 'order_summary', '--dry-run');
      expect(resumed.stdout).toContain('resuming rebuild 1 at position 30 of 30: 100 % is kept; its indexes are built');
      expect(resumed.stdout).toContain('0 events to read');
      writeProjection(2);
      const { code, stdout } = await evstore('rebuild', 'order_summary', '--dry-run', '--json');
      expect(code).toBe(5);
      expect(JSON.parse(stdout).rebuilds).toMatchObject([
        { projection: 'order_summary', error: { code: 'E_LOCK_HELD' } },
      ]);
    }));
});

test('--check: exit 1 and the reasons when a rebuild is not safe, exit 0 when it is', () =>
  withShop('sqlite', async ({ test, evstore, report, writeProjection }) => {
    await placeOrders(test.store, 20);
    expect((await evstore('rebuild', 'order_summary', '--check')).code).toBe(2);
    expect(await report('rebuild', '--all', '--dry-run', '--check')).toMatchObject({
      rebuilds: [{ projection: 'order_summary', check: { events: 20, safe: true, faults: [] } }],
    });
    const safe = await evstore('rebuild', 'order_summary', '--dry-run', '--check');
    expect(safe).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('checked: 20 events up to position 20, 9 rows'),
    });
    writeProjection(2, '(row, { data }) => ({ total: Date.now(), events: data.nothing.at })');
    const { code, stdout, stderr } = await evstore('rebuild', 'order_summary', '--dry-run', '--check');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'unsafe: on.OrderPlaced reads the clock: uses Date.now, in 19 events, the first at position 1',
    );
    expect(stdout).toContain('unsafe: on.OrderPlaced throws: TypeError: Cannot read properties of undefined');
    expect(stderr).toContain('a rebuild of order_summary is not safe (E_CHECK_FAILED)');
    expect(await test.store.projections.list()).toEqual([]);
  }));

test('in GitHub Actions: groups, annotations, and a summary that names what failed', () =>
  withShop('sqlite', async ({ test, cwd, evstoreWith }) => {
    await placeOrders(test.store, 20);
    const failing =
      "export default { name: 'failing', version: 1, table: { columns: { id: 'text' }, key: 'id' }, on: { '*': () => { throw new Error('50 % | off') } } };";
    writeFileSync(join(cwd, 'projections/failing.mjs'), failing);
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(cwd, 'summary.md') };
    const { code, stdout, stderr } = await evstoreWith({ env }, 'rebuild', '--all', '--yes');
    expect(code).toBe(9);
    expect(stdout).toMatch(/^failing: failed at position 0\norder_summary: version 1 is live, 20 events/);
    const lines = stderr.split('\n');
    const groups = [
      'rebuild failing',
      'rebuild order_summary',
      'rebuild failing, order_summary',
      'rebuild order_summary',
    ];
    expect(lines.filter((line) => /^::(group|endgroup)/.test(line))).toEqual(
      groups.flatMap((label) => [`::group::${label}`, '::endgroup::']),
    );
    expect(stderr).toContain(
      '::error title=E_HANDLER::projection failing failed on OrderPlaced at position 1 (E_HANDLER)%0A',
    );
    expect(stderr).toContain('50 %25 | off');
    const summary = readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8');
    expect(summary).toContain('| failing | failed |');
    expect(summary).toMatch(/\| order\\_summary \| swapped \| none → 1 \| 20 \| 0 \| \d+ \|/);
    const json = await evstoreWith({ env }, 'rebuild', 'failing', '--json', '--restart');
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'E_HANDLER' } });
    expect(JSON.parse(json.stdout)).toMatchObject({
      dryRun: false,
      ok: false,
      rebuilds: [{ projection: 'failing', outcome: 'failed', error: { code: 'E_HANDLER', next: expect.any(String) } }],
    });
    const gone = await evstoreWith({ env: { ...env, GITHUB_STEP_SUMMARY: cwd } }, 'rebuild', 'order_summary');
    expect(gone.code).toBe(0);
    expect(gone.stderr).toContain('::warning::the summary could not be written');
  }));

test('abort --all drops every unfinished rebuild; exit 0 without one', () =>
  withShop('sqlite', async ({ test, evstore, report }) => {
    expect(await report('abort', '--all', '--yes')).toEqual({ dryRun: false, aborted: [] });
    await placeOrders(test.store, 5);
    await evstore('rebuild', '--all', '--no-swap');
    expect((await evstore('abort')).code).toBe(2);
    expect((await evstore('abort', 'order_summary', '--all')).code).toBe(2);
    expect((await evstore('abort', '--all')).code).toBe(8);
    expect(await report('abort', '--all', '--dry-run')).toMatchObject({ dryRun: true, aborted: [{ rebuild: 1 }] });
    expect((await evstore('abort', '--all', '--yes')).stdout).toBe('order_summary: order_summary__v1_1 dropped\n');
    expect(await test.store.projections.rebuilds()).toMatchObject([{ state: 'aborted' }]);
  }));

test('progress is on stderr, as JSON when asked', () =>
  withShop('sqlite', async ({ test, evstore }) => {
    await placeOrders(test.store, 60);
    const { stderr, stdout } = await evstore(
      'rebuild',
      'order_summary',
      '--progress',
      'json',
      '-q',
      '--batch-size',
      '10',
    );
    expect(stdout).toBe('60\n');
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['create', 'fill', 'index', 'verify', 'swap']),
    );
    expect(lines).toContainEqual({
      progress: 'rebuild order_summary',
      step: 'fill',
      done: 10,
      total: 60,
      rate: expect.any(Number),
    });
  }));

test('rebuild needs names or --all, and names that exist', () =>
  withShop('sqlite', async ({ evstore }) => {
    expect((await evstore('rebuild')).code).toBe(2);
    expect((await evstore('rebuild', 'order_summary', '--all')).code).toBe(2);
    expect((await evstore('rebuild', 'order_summary', '--verify', 'all')).code).toBe(2);
    expect((await evstore('rebuild', 'order_summary', '--resume', '--restart')).code).toBe(2);
    for (const command of ['rebuild', 'swap']) {
      const { code, stderr } = await evstore(command, 'order_sumary');
      expect(code).toBe(6);
      expect(stderr).toContain('Did you mean order_summary?');
    }
    expect((await evstore('rollback', 'order_summary', '--yes')).code).toBe(6);
    expect((await evstore('gc')).code).toBe(0);
  }));

test('--all rebuilds several projections, each with its report', () =>
  withShop('sqlite', async ({ report, cwd }) => {
    const other =
      "export const other = { name: 'other', version: 1, table: { columns: { id: 'text' }, key: 'id' }, on: {} };";
    writeFileSync(`${cwd}/projections/other.mjs`, other);
    const { rebuilds } = await report('rebuild', '--all');
    expect(rebuilds).toMatchObject([
      { projection: 'order_summary', outcome: 'swapped' },
      { projection: 'other', outcome: 'swapped' },
    ]);
  }));
