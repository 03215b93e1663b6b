import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';
import { until } from '../support/wait.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('the report includes subscriptions of other programs', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      expect(await report('lag')).toEqual({
        head: 0,
        safeHead: 0,
        heldBackBy: null,
        projections: [],
        sagas: [],
        findings: [],
      });
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      await placeOrders(test.store, 5, 10, 10);
      await test.raw.query(
        "insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 3)",
      );
      const { projections, findings, ...log } = await report('lag');
      expect(findings).toMatchObject([{ kind: 'foreign-checkpoint', subject: 'mailer', severity: 'note' }]);
      expect(log).toEqual({ head: 15, safeHead: 15, heldBackBy: null, sagas: [] });
      expect(projections).toEqual([
        {
          name: 'mailer',
          version: null,
          status: 'foreign',
          position: 3,
          lag: 12,
          estimated: false,
          positions: 12,
          ageMs: expect.any(Number),
          imported: false,
          rate: null,
          etaMs: null,
          owner: null,
          error: null,
          mode: null,
          codeVersion: null,
          stale: false,
          parked: 0,
          inlineRests: false,
        },
        {
          name: 'order_summary',
          version: 1,
          status: 'idle',
          position: 10,
          lag: 5,
          estimated: false,
          positions: 5,
          ageMs: expect.any(Number),
          imported: false,
          rate: null,
          etaMs: null,
          owner: null,
          error: null,
          mode: 'async',
          codeVersion: 1,
          stale: false,
          parked: 0,
          inlineRests: false,
        },
      ]);
      expect(projections[1].ageMs).toBeGreaterThanOrEqual(0);
      expect(projections[1].ageMs).toBeLessThan(60_000);
      await evstore('run', '--once');
      expect((await report('lag', 'order_summary')).projections).toMatchObject([{ lag: 0, ageMs: null, etaMs: 0 }]);
    }));

  test('a projection that is behind and not running is told, with the command that runs it', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      expect((await evstore('lag')).stderr).toBe('');
      await placeOrders(test.store, 2, 10, 3);
      expect((await evstore('lag')).stderr).toContain(
        'order_summary is 2 events behind and no process runs it; run it with: evstore run order_summary',
      );
    }));

  test('the lag counts the events that wait for each, not those that it passes over', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      await append(test.store, 'Customer-1', makeEvents(4));
      await placeOrders(test.store, 2, 10, 7);
      await test.raw.query("insert into subscription_checkpoints (subscription_id) values ('mailer')");
      const waiting = async (...flags: string[]) =>
        (await report('lag', ...flags)).projections.map(
          (each: { positions: number; lag: number; waiting?: number }) => [each.positions, each.lag, each.waiting],
        );
      expect(await waiting()).toEqual([
        [9, 9, undefined],
        [6, 2, undefined],
      ]);
      expect(await waiting('--count')).toEqual([
        [9, 9, 9],
        [6, 2, 2],
      ]);
      expect((await evstore('lag', '--count', '-o', 'prometheus')).stdout).toContain(
        'evstore_projection_waiting{projection="order_summary"} 2\n',
      );
      const { stdout } = await evstore('lag', 'order_summary', '--count');
      expect(stdout.split('\n')[0]?.split('\t')).toContain('waiting');
      await evstore('checkpoints', 'reset', 'order_summary', '--execute');
      expect(await waiting('order_summary', '--count')).toEqual([[9, 5, 5]]);
    }));

  test('events that a saga wrote are no lag: no subscription would handle them', () =>
    withShop(engine, async ({ test, cwd, evstore, report }) => {
      mkdirSync(join(cwd, 'sagas'));
      const steps = "[{ kind: 'action', name: 'ship', action: () => {} }]";
      const source = `export default { kind: 'saga', name: 'shipping', version: 1, startOn: 'OrderPlaced', steps: ${steps} };`;
      writeFileSync(join(cwd, 'sagas/shipping.ts'), source);
      await placeOrders(test.store, 3);
      expect((await evstore('run', '--once', '--sagas')).code).toBe(0);
      const lag = (await report('lag')).projections.map(
        (each: { name: string; lag: number; positions: number }) => each,
      );
      expect(lag.map(({ name, lag }: { name: string; lag: number }) => [name, lag])).toEqual([
        ['order_summary', 0],
        ['saga:shipping', 0],
      ]);
      expect(Math.max(...lag.map(({ positions }: { positions: number }) => positions))).toBeGreaterThan(0);
      expect(await evstore('lag', '--max-lag', '0', '--max-age', '0ms')).toMatchObject({ code: 0 });
      expect(await evstore('verify')).toMatchObject({ code: 0 });
      await placeOrders(test.store, 1, 10, 50);
      expect((await evstore('lag', '--max-lag', '0')).stderr).toContain('saga:shipping is 1 event behind');
    }));

  test('the age of imported events counts from when they could be read, not from when they happened', () =>
    withShop(engine, async ({ test, evstore, evstoreWith, report }) => {
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      const old = { type: 'OrderPlaced', data: { total: 1 }, createdAt: '2011-01-01T00:00:00Z' };
      const stdin = `${JSON.stringify({ streamId: 'Order-old', ...old })}\n`;
      expect((await evstoreWith({ stdin }, 'import', '-')).code).toBe(0);
      const { projections } = await report('lag');
      expect(projections).toMatchObject([{ lag: 1, imported: true }]);
      expect(projections[0].ageMs).toBeLessThan(3_600_000);
      expect((await evstore('lag', '--max-age', '1h')).code).toBe(0);
    }));

  test('a projection that stopped fails a check, whatever its limits are', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      writeProjection(1, "() => { throw new Error('no tariff'); }");
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      expect((await evstore('lag')).code).toBe(0);
      const checked = await evstore('lag', '--max-lag', '1000');
      expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining('to fix: order_summary stopped at') });
      const nagios = await evstore('lag', '-o', 'nagios');
      expect(nagios).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^LAG CRITICAL - order_summary stopped at/),
      });
      const waited = await evstore('wait', 'order_summary', '--timeout', '10ms');
      expect(waited).toMatchObject({ code: 7, stderr: expect.stringContaining('order_summary stopped at position 0') });
      expect(waited.stderr).toContain('next: evstore run order_summary --once --on-error park');
    }));

  test('a projection in the code that never ran fails a check that loads the code', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 3);
      const code = ['--projections', 'projections/*.ts'];
      const checked = await evstore('lag', '--max-lag', '0', ...code);
      expect(checked).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('order_summary is new: it has never run'),
      });
      expect(checked.stderr).toContain('next: evstore run order_summary');
      expect(await evstore('lag', '-o', 'nagios', ...code)).toMatchObject({ code: 1 });
      await evstore('run', '--once');
      expect(await evstore('lag', '--max-lag', '0', ...code)).toMatchObject({ code: 0 });
    }));

  test('over a limit: exit 1, and the names of the projections', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      expect((await evstore('lag', '--max-lag', '0')).code).toBe(0);
      await placeOrders(test.store, 2, 10, 3);
      const { code, stderr, stdout } = await evstore('lag', '--max-lag', '1', '--max-age', '1h');
      expect(code).toBe(1);
      expect(stderr).toContain('over the limit: order_summary is 2 events behind (E_CHECK_FAILED)');
      expect(stdout).toContain('order_summary\t1\tidle\t3\t2\t');
      expect((await evstore('lag', '--max-lag', '2')).code).toBe(0);
      expect((await evstore('lag', '--max-age', '0ms')).code).toBe(1);
    }));

  test('wait: 0 when it is there, 7 when it takes too long, 6 for an unknown name or event', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      expect(await report('wait', 'order_summary')).toEqual({
        position: 3,
        projections: [{ name: 'order_summary', position: 3 }],
      });
      await placeOrders(test.store, 2, 10, 3);
      const late = await evstore('wait', 'order_summary', '--timeout', '50ms');
      expect(late.code).toBe(7);
      expect(late.stderr).toContain('order_summary is at 3');
      expect((await evstore('wait', 'order_summary', '--position', '3')).code).toBe(0);
      const [event] = await test.raw.query('select id from events where global_position = 5');
      const waiting = evstore('wait', 'order_summary', '--event', String(event?.id), '--timeout', '20s');
      await evstore('run', '--once');
      expect((await waiting).code).toBe(0);
      expect((await evstore('wait', 'order_sumary')).stderr).toContain('Did you mean order_summary?');
      expect((await evstore('wait', 'order_summary', '--event', '00000000-0000-4000-8000-000000000000')).code).toBe(6);
    }));
});

test('for Prometheus and for Nagios', () =>
  withShop('sqlite', async ({ test, evstore }) => {
    await placeOrders(test.store, 3);
    await evstore('run', '--once');
    await placeOrders(test.store, 2, 10, 3);
    const { stdout } = await evstore('lag', '-o', 'prometheus');
    expect(stdout).toContain(
      '# TYPE evstore_projection_lag gauge\nevstore_projection_lag{projection="order_summary"} 2\n',
    );
    expect(stdout.split('\n').every((line) => /^(# (HELP|TYPE) .*|[a-z_]+(\{[^}]*\})? [0-9.]+|)$/.test(line))).toBe(
      true,
    );
    expect(await evstore('lag', '-o', 'nagios')).toMatchObject({
      code: 0,
      stdout: "LAG OK - 1 projection | 'order_summary'=2\n",
    });
    expect(await evstore('lag', '-o', 'nagios', '--max-lag', '1')).toEqual({
      code: 1,
      stdout: "LAG WARNING - order_summary is 2 events behind | 'order_summary'=2\n",
      stderr: '',
    });
  }));

test('names from the store cannot speak to the terminal', () =>
  withShop('sqlite', async ({ test, evstoreWith, evstore }) => {
    await test.raw.query(
      "insert into subscription_checkpoints (subscription_id, last_position) values (char(27) || '[2J', 0)",
    );
    for (const output of ['table', 'tsv', 'prometheus', 'nagios', 'json']) {
      expect((await evstoreWith({ tty: true }, 'lag', '-o', output, '--color', 'never')).stdout).not.toContain(
        '\u001b',
      );
    }
    expect((await evstore('checkpoints')).stdout).not.toContain('\u001b');
  }));

test('an open transaction that holds readers back fails every check that would say OK', () =>
  withShop('postgres', async ({ test, evstore, report }) => {
    await evstore('run', '--once');
    const writer = await test.connect();
    await writer.query('begin');
    await writer.query(
      "insert into events (stream_id, event_type, event_data, version) values ('Held-1', 'X', '{}', 1)",
    );
    await append(test.store, 'Order-1');
    // An append in progress is silent.
    await until(async () => (await report('lag')).findings.length > 0);
    const held = /readers held at 0 of 2 for \d+ s by process \d+ \(somebody else\)/;
    for (const limit of [
      ['--max-lag', '0'],
      ['--max-age', '500ms'],
    ]) {
      expect(await evstore('lag', ...limit)).toMatchObject({ code: 1, stderr: expect.stringMatching(held) });
    }
    const nagios = await evstore('lag', '-o', 'nagios', '--max-lag', '0');
    expect(nagios.stdout).toMatch(new RegExp(`^LAG CRITICAL - ${held.source} \\| 'order_summary'=0\n$`));
    expect(nagios.code).toBe(1);
    expect((await evstore('lag', '-o', 'prometheus')).stdout).toMatch(/^evstore_readers_held_seconds [1-9]/m);
    await writer.query('rollback');
    await evstore('run', '--once');
    expect((await evstore('lag', '--max-lag', '0')).code).toBe(0);
  }));
