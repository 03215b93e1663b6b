import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { buildNext, checkpointOf, registration, startProjection, takeLease } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { withShop } from './shop.js';

interface Report {
  readonly code: number;
  readonly facts: Readonly<Record<string, string>>;
  /** `severity kind subject` of each. */
  readonly found: readonly string[];
  readonly text: string;
}

async function examine(url: string, ...argv: readonly string[]): Promise<Report> {
  const { code, stdout } = await runCli(['doctor', '--json', '--store', url, ...argv]);
  const { facts, findings } = JSON.parse(stdout);
  return {
    code,
    facts: Object.fromEntries(facts.map(({ name, value }: Record<string, string>) => [name, value])),
    found: findings.map((each: Record<string, string>) => `${each.severity} ${each.kind} ${each.subject}`),
    text: stdout,
  };
}

/** What the server of the tests is like is not the store's doing. */
const ofStore = ({ found }: Report) => found.filter((each) => !/lost-writes server|powerful-account/.test(each));

test('--fix journal mends a SQLite file that was copied without its journal mode, and the advice leads there', () =>
  withTestStore('sqlite', async ({ url, store, raw }) => {
    await store.close();
    await raw.query('pragma journal_mode = delete');
    const refused = await runCli(['tail', '--no-follow', '--store', url]);
    expect(refused.stderr).toContain('evstore doctor --fix journal');
    const fixed = await runCli(['doctor', '--fix', 'journal', '--store', url]);
    expect(fixed).toMatchObject({ code: 0, stderr: expect.stringContaining('the journal mode is wal; it was delete') });
    expect((await runCli(['tail', '--no-follow', '--store', url])).code).toBe(0);
  }));

forEachEngine((engine) => {
  test('a healthy store', () =>
    withTestStore(engine, async ({ store, url }) => {
      await append(store, 'Order-1');
      const report = await examine(url);
      expect(ofStore(report)).toEqual([]);
      expect(report.facts).toMatchObject({ guards: 'intact', head: '1', 'safe head': '1', projections: '0' });
      expect(report.facts.store).toContain('(--store)');
      expect(report.facts.schema).toMatch(/^version (\d+) of \1$/);
      if (engine === 'sqlite') {
        expect(report.facts).toMatchObject({ 'journal mode': 'wal', synchronous: 'full' });
        expect(await runCli(['doctor', '--ci', '--store', url])).toMatchObject({ code: 0 });
      }
    }));

  test('a table that is named as one of a rebuild, and belongs to none, is a note without advice to drop it', () =>
    withTestStore(engine, async ({ url, raw }) => {
      await raw.query('create table orders__v2_7 (id integer); create table orders_v2 (id integer)');
      const report = await examine(url);
      expect(ofStore(report)).toEqual(['note orphaned-table orders__v2_7']);
      expect(report.text).toContain('evstore may not have made it');
      expect(report.text).not.toContain('drop');
    }));

  test('the tables of a rebuild are not orphaned until its journal row has ended', () =>
    withTestStore(engine, async ({ store, url, raw }) => {
      const live = await startProjection(store);
      await buildNext(store, 2);
      await store.projections.releaseLease(live);
      const orphans = async () => ofStore(await examine(url)).filter((each) => each.includes('orphaned-table'));
      expect(await orphans()).toEqual([]);
      await raw.query("update evstore_rebuilds set state = 'aborted'");
      expect(await orphans()).toHaveLength(1);
    }));

  test('types that no projection handles are a note, which says what is not known', () =>
    withShop(engine, async ({ test: { store, raw }, evstore }) => {
      await append(store, 'Order-1', [makeEvent({ type: 'OrderPlaced', data: '{"total":1}' })]);
      await append(store, 'Order-1', [makeEvent({ type: 'OrderSent' })]);
      const unhandled = async () => {
        const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
        return findings.filter(({ kind }: { kind: string }) => kind === 'unhandled-types');
      };
      expect(await unhandled()).toEqual([]);
      expect(await evstore('run', '--once')).toMatchObject({ code: 0 });
      expect(await unhandled()).toMatchObject([
        { severity: 'note', detail: 'handle no event of 1 type of 2: OrderSent', next: null },
      ]);
      await raw.query("insert into subscription_checkpoints (subscription_id) values ('mailer')");
      expect(await unhandled()).toMatchObject([
        { evidence: 'other subscriptions may handle them, which is not known here: mailer' },
      ]);
    }));

  test('no schema, then the schema of a newer evstore', () =>
    withTestStore(
      engine,
      async ({ store, raw, url }) => {
        expect(await examine(url)).toMatchObject({ code: 1, facts: { schema: 'none' } });
        expect(ofStore(await examine(url))).toEqual(['error no-schema schema']);
        await store.schema.migrate();
        await raw.query("update evstore_migrations set checksum = 'other' where version = 3");
        expect(ofStore(await examine(url))).toEqual(['warning schema-drifted schema']);
        const [row] = await raw.query('select max(version) as latest from evstore_migrations');
        await raw.query(`delete from evstore_migrations where version = ${row?.latest}`);
        expect(ofStore(await examine(url))).toEqual(['error schema-pending schema', 'warning schema-drifted schema']);
        await raw.query("insert into evstore_migrations (version, name, checksum) values (999, 'later', '')");
        expect(ofStore(await examine(url))).toEqual(['error schema-newer schema']);
        await raw.query("update evstore_migrations set name = 'order' where version = 2");
        expect(ofStore(await examine(url))).toEqual(['error schema-other schema']);
      },
      { migrated: false },
    ));

  test('a broken guard is an error', () =>
    withTestStore(engine, async ({ raw, url }) => {
      if (engine === 'postgres') await raw.query('alter table events disable trigger evstore_immutable');
      else await raw.query('drop trigger evstore_no_delete');
      const report = await examine(url);
      expect(report).toMatchObject({ code: 1, facts: { guards: '1 broken' } });
      expect(ofStore(report)).toEqual(['error broken-guard store']);
    }));

  test('abandoned subscriptions and rebuilds', () =>
    withTestStore(engine, async ({ store, raw, url }) => {
      await append(store, 'Order-1');
      await raw.query("insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 1)");
      const old =
        "insert into subscription_checkpoints (subscription_id, updated_at) values ('gone', '2020-01-01T00:00:00Z')";
      await raw.query(old);
      const live = await startProjection(store);
      await store.projections.recordError(registration.name, 'no such column');
      const { rebuild, lease } = await buildNext(store, 2);
      await store.projections.releaseLease(lease);
      const report = await examine(url);
      expect(ofStore(report).sort()).toEqual([
        'error stopped order_totals',
        'note foreign-checkpoint mailer',
        'warning foreign-checkpoint gone',
        `warning unfinished-rebuild rebuild ${rebuild.id} of order_totals`,
      ]);
      expect(report.text).toContain('evstore swap order_totals');
      expect(report.text).toContain('evstore checkpoints delete gone --execute');
      await store.projections.releaseLease(live);
      const target = { kind: 'rebuild', id: rebuild.id } as const;
      const leases = {
        rebuild: await takeLease(store, target),
        live: await takeLease(store, checkpointOf('order_totals')),
      };
      await store.projections.swap(rebuild, leases, { lockTimeoutMs: 1_000, keepOldMs: 0 });
      expect((await examine(url)).text).toContain('evstore gc');
    }));
});

test('--ci fails on a warning; without it only an error fails', () =>
  withTestStore('sqlite', async ({ store, raw, url }) => {
    await append(store, 'Order-1');
    await raw.query(
      "insert into subscription_checkpoints (subscription_id, updated_at) values ('gone', '2020-01-01T00:00:00Z')",
    );
    const report = await examine(url);
    expect({ code: report.code, found: ofStore(report) }).toEqual({
      code: 0,
      found: ['warning foreign-checkpoint gone'],
    });
    expect(await examine(url, '--ci')).toMatchObject({ code: 1 });
  }));

test('a store that cannot be reached is a finding, without its password', async () => {
  const report = await examine('postgres://ada:s3cret@127.0.0.1:1/none');
  expect(report).toMatchObject({ code: 1, found: ['error connect store'] });
  expect(report.text).not.toContain('s3cret');
  expect(await examine('sqlite:./none.db')).toMatchObject({ code: 1, found: ['error no-schema connection'] });
});

test('the config is named, and executed only when nothing else names the store', () =>
  withTestStore('sqlite', async ({ url }) => {
    const cwd = makeFolder();
    const file = join(cwd, 'evstore.config.mjs');
    writeFileSync(file, "throw new Error('executed')");
    const argv = ['doctor', '--json'];
    const { code, stdout } = await runCli([...argv, '--store', url], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).facts[0]).toEqual({ name: 'config', value: file });
    const { stdout: report } = await runCli(argv, { cwd });
    expect(JSON.parse(report)).toMatchObject({
      findings: [{ kind: 'handler', evidence: expect.stringContaining('executed') }],
    });
  }));

test('settings of a Postgres database that lose or refuse writes', () =>
  withTestStore('postgres', async ({ raw, url }) => {
    const set = (setting: string) => raw.query(`alter database "${new URL(url).pathname.slice(1)}" set ${setting}`);
    const [durable] = await raw.query('show fsync');
    expect((await examine(url)).found.includes('error lost-writes server')).toBe(durable?.fsync === 'off');
    await set('synchronous_commit = off');
    expect((await examine(url)).found).toContain('warning lost-writes server');
    await set('default_transaction_read_only = on');
    expect((await examine(url)).found).toContain('warning read-only server');
    await set("default_transaction_isolation = 'repeatable read'");
    expect((await examine(url)).found).toContain('error isolation server');
  }));

test('names what holds readers back: an open transaction, or a prepared one that was forgotten', () =>
  withTestStore('postgres', async ({ store, url, connect }) => {
    const writer = await connect();
    await writer.query('begin');
    await writer.query(insert('Held-1'));
    await append(store, 'Order-1');
    const [{ pid } = {}] = await writer.query('select pg_backend_pid() as pid');
    // An append in progress is silent.
    await until(async () => ofStore(await examine(url)).length > 0);
    const shown = await examine(url);
    expect(ofStore(shown)).toEqual(['note held-back readers']);
    expect(shown.text).toContain(`held at 0 of 2 for`);
    expect(shown.text).toContain(`by process ${pid} (somebody else)`);
    const gid = `forgotten-${pid}`;
    await writer.query(`prepare transaction '${gid}'`);
    try {
      await until(async () => ofStore(await examine(url)).length > 1);
      const prepared = await examine(url);
      expect(ofStore(prepared)).toEqual([`note prepared-transaction ${gid}`, 'note held-back readers']);
      expect(prepared.text).toContain(`by prepared transaction ${gid}`);
    } finally {
      await writer.query(`rollback prepared '${gid}'`);
    }
    expect(ofStore(await examine(url))).toEqual([]);
  }));

function insert(streamId: string): string {
  return `insert into events (stream_id, stream_type, event_type, event_data, version) values ('${streamId}', 'X', 'X', '{}', 1)`;
}
