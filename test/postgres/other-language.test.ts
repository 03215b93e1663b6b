/** What a program in another language sends, word for word as docs/other-languages.md says; and what evstore makes of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { failureOf } from '../support/events.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/other-languages.md`, 'utf8');
const statements = new Map(
  [...page.matchAll(/```sql\n-- ([a-z-]+)\n([^`]*)```/g)].map(([, name = '', sql = '']) => [name, sql.trim()]),
);

/** The statement of that name on the page; SQLite's drivers write `?` for a value. */
function send({ engine, raw }: TestStore, name: string, values: readonly unknown[] = []) {
  const sql = statements.get(name);
  if (sql === undefined) throw new Error(`the page has no statement ${name}`);
  return raw.query(engine === 'postgres' ? sql : sql.replace(/\$\d/g, '?'), values);
}

function appendOrder(test: TestStore, version: number, id = newEventId()) {
  const metadata = '{"correlationId":"c"}';
  const values = [
    id,
    'Order-77',
    'Order',
    'OrderPlaced',
    '{"total": 4200}',
    metadata,
    version,
    '2026-01-31T12:00:00+01:00',
  ];
  return send(test, 'append', values);
}

async function safeHead(test: TestStore): Promise<number> {
  if (test.engine === 'postgres') return Number((await send(test, 'safe-head'))[0]?.evstore_safe_head);
  const [row] = await test.raw.query('select coalesce(max(global_position), 0) as head from events');
  return Number(row?.head);
}

async function report(test: TestStore, ...argv: readonly string[]) {
  const { code, stdout } = await runCli([...argv, '--json', '--store', test.url]);
  return { code, ...JSON.parse(stdout) };
}

test('the page has the statements', () => {
  expect([...statements.keys()]).toEqual([
    'append',
    'append-next',
    'read-stream',
    'safe-head',
    'read-log',
    'checkpoint',
  ]);
});

forEachEngine((engine) => {
  test('appends, and evstore reads it', () =>
    withTestStore(engine, async (test) => {
      expect(await appendOrder(test, 1)).toEqual([{ global_position: engine === 'postgres' ? '1' : 1 }]);
      await send(test, 'append-next');
      await send(test, 'append-next');
      await appendOrder(test, 2);
      const { stdout } = await runCli(['read', '--store', test.url]);
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(events.map(({ streamId, version, globalPosition }) => [streamId, version, globalPosition])).toEqual([
        ['Order-77', 1, 1],
        ['Order-9', 1, 2],
        ['Order-9', 2, 3],
        ['Order-77', 2, 4],
      ]);
      expect(events[0]).toMatchObject({ type: 'OrderPlaced', schemaVersion: 1, createdAt: '2026-01-31T11:00:00.000Z' });
      expect((await report(test, 'verify')).findings.map(({ kind }: { kind: string }) => kind)).toEqual([
        'uncorrelated',
      ]);
    }));

  test('somebody was faster, and a retry: both are refused by the database', () =>
    withTestStore(engine, async (test) => {
      const id = newEventId();
      await appendOrder(test, 1, id);
      for (const [version, known] of [
        [1, newEventId()],
        [2, id],
      ] as const) {
        const failure = await failureOf(appendOrder(test, version, known));
        expect(failure?.code).toMatch(/^(23505|SQLITE_CONSTRAINT\w*)$/);
      }
      expect(await send(test, 'read-stream', ['Order-77'])).toHaveLength(1);
    }));

  test('reads a stream, follows the log, and its place is listed with its lag', () =>
    withTestStore(engine, async (test) => {
      for (const version of [1, 2, 3]) await appendOrder(test, version);
      const stream = await send(test, 'read-stream', ['Order-77']);
      expect(stream.map(({ version }) => Number(version))).toEqual([1, 2, 3]);
      const head = await safeHead(test);
      const log = await send(test, 'read-log', [1, head]);
      expect(log.map(({ global_position }) => Number(global_position))).toEqual([2, 3]);
      await send(test, 'checkpoint', ['mailer', head]);
      await send(test, 'checkpoint', ['mailer', head]);
      expect(await report(test, 'checkpoints')).toMatchObject({
        checkpoints: [{ subscriptionId: 'mailer', position: 3, owner: null }],
      });
      expect((await report(test, 'lag')).projections).toMatchObject([
        { name: 'mailer', status: 'foreign', position: 3, lag: 0 },
      ]);
      await appendOrder(test, 4);
      await appendOrder(test, 5);
      const { projections } = await report(test, 'lag');
      expect(projections).toMatchObject([{ name: 'mailer', position: 3, lag: 2, version: null }]);
      expect(projections[0].ageMs).toBeGreaterThan(0);
      expect(await runCli(['lag', 'mailer', '--max-lag', '1', '--store', test.url])).toMatchObject({ code: 1 });
      expect((await report(test, 'verify')).findings).toEqual([]);
      const [updated] = (await report(test, 'checkpoints')).checkpoints;
      expect(Math.abs(Date.parse(updated.updatedAt) - Date.now())).toBeLessThan(3_600_000);
    }));
});

/** Debian's Python brings 3.40, and what the schema calls runs in the writer's own SQLite. */
test('the schema of SQLite calls no function that old versions lack', () => {
  const folder = `${root}src/store/sqlite/schema/migrations/`;
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const text = readFileSync(`${folder}${file}`, 'utf8').replace(/--.*$/gm, '');
    expect(text, file).not.toMatch(
      /\b(octet_length|unixepoch|timediff|concat|concat_ws|string_agg|unhex|jsonb?_\w*b)\(/i,
    );
    expect(text, file).not.toMatch(/'subsec(ond)?'/i);
  }
});
