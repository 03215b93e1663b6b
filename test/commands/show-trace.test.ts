/** `show`, `trace`, and `init --index correlation`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

const idOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

interface Line {
  readonly streamId: string;
  readonly type: string;
  readonly cause?: number | string;
  readonly correlationId?: string;
  readonly data?: string;
  readonly second?: number;
}

const hostile = 'Shipment-\u001b[2J\u202e7';
const lines: readonly Line[] = [
  { streamId: 'Order-7', type: 'OrderPlaced', correlationId: 'order-7', data: '{"n":12345678901234567890,"x":[{}]}' },
  { streamId: 'Payment-7', type: 'PaymentRequested', correlationId: 'order-7', cause: 1, second: 0.003 },
  { streamId: 'Payment-7', type: 'PaymentReceived', correlationId: 'order-7', cause: 2, second: 300 },
  { streamId: hostile, type: 'Ship\u0007ped', correlationId: 'order-7', cause: 3, second: 301 },
  { streamId: 'Email-7', type: 'EmailSent', cause: 1, second: 1 },
  { streamId: 'Audit-7', type: 'Audited', correlationId: 'order-7', cause: 'cmd"1\u001b[31m', second: 2 },
];

function writeLines(folder: string): string {
  const file = join(folder, 'events.ndjson');
  const text = lines.map(({ streamId, type, cause, correlationId, data = '{}', second = 0 }, index) => {
    const causationId = typeof cause === 'number' ? idOf(cause) : cause;
    const facts = { streamId, type, id: idOf(index + 1), metadata: { correlationId, causationId } };
    const createdAt = new Date(Date.parse('2026-01-01T10:00:00Z') + second * 1_000).toISOString();
    return `${JSON.stringify({ ...facts, createdAt }).slice(0, -1)},"data":${data}}\n`;
  });
  writeFileSync(file, text.join(''));
  return file;
}

forEachEngine((engine) => {
  function withEvents(body: (cli: (...argv: string[]) => ReturnType<typeof runCli>) => Promise<void>): Promise<void> {
    return withTestStore(engine, async ({ url }) => {
      const cwd = makeFolder();
      const cli = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      await cli('import', writeLines(cwd));
      await body(cli);
    });
  }

  test('trace shows a tree with gaps, and what is not in the store', () =>
    withEvents(async (cli) => {
      const table = await cli('trace', 'order-7', '-o', 'table', '--times', 'iso');
      expect(table.stdout).toBe(
        [
          '2026-01-01T10:00:00.000Z  Order-7 1 OrderPlaced  #1',
          '├─ +3 ms  Payment-7 1 PaymentRequested  #2',
          '│  └─ +4 min  Payment-7 2 PaymentReceived  #3',
          '│     └─ +1 s  Shipment-\\u{1b}[2J\\u{202e}7 1 Ship\\u{7}ped  #4',
          '└─ +1 s  Email-7 1 EmailSent  #5',
          '2026-01-01T10:00:02.000Z  Audit-7 1 Audited  #6',
          '  caused by cmd"1\\u{1b}[31m, which is not an event of this store',
          '',
        ].join('\n'),
      );
      expect(table.stderr).toBe('6 events in 5 streams over 5 min\n');
      const { roots, ...facts } = JSON.parse((await cli('trace', 'order-7', '--json')).stdout);
      expect(facts).toEqual({ events: 6, truncated: false, searched: { byIndex: false, after: 0, to: 6 } });
      expect(roots).toMatchObject([
        {
          event: { globalPosition: 1 },
          children: [
            {
              event: { globalPosition: 2 },
              children: [{ children: [{ event: { streamId: hostile }, children: [] }] }],
            },
            { event: { globalPosition: 5 }, children: [] },
          ],
        },
        { event: { globalPosition: 6 }, missingCause: 'cmd"1\u001b[31m', children: [] },
      ]);
      // From any of its events the tree is the same.
      for (const index of [1, 4]) {
        expect((await cli('trace', idOf(index), '-q')).stdout).toBe((await cli('trace', 'order-7', '-q')).stdout);
      }
      // This one has no correlation id, but its cause does.
      expect((await cli('trace', idOf(5), '-q')).stdout.split('\n')).toHaveLength(7);
      const tsv = (await cli('trace', 'order-7')).stdout.split('\n');
      expect(tsv.slice(0, 3)).toEqual([
        'depth\tgapMs\tglobalPosition\tstreamId\tversion\ttype\tcreatedAt\tid\tcausationId',
        `0\t\t1\tOrder-7\t1\tOrderPlaced\t2026-01-01T10:00:00.000Z\t${idOf(1)}\t`,
        `1\t3\t2\tPayment-7\t1\tPaymentRequested\t2026-01-01T10:00:00.003Z\t${idOf(2)}\t${idOf(1)}`,
      ]);
      const diagram = (await cli('trace', 'order-7', '-o', 'mermaid')).stdout;
      expect(diagram).toContain('flowchart TD\n  e1["Order-7 1<br/>OrderPlaced"]\n');
      expect(diagram).toContain('  e1 -->|"+3 ms"| e2\n');
      expect(diagram).toContain('  m6(["cmd#34;1#92;u#123;1b#125;#91;31m"])\n  m6 -.-> e6\n');
      const short = await cli('trace', 'order-7', '-n', '2');
      expect(short.stderr).toContain('the first 2 events; -n N shows more');
    }));

  test('trace of events without causation ids says that there is no tree', () =>
    withEvents(async (cli) => {
      for (const type of ['Opened', 'Closed']) {
        await cli('append', 'Case-1', '--type', type, '--data', '{}', '--correlation-id', 'case-1');
      }
      const note = 'no event has a causation id: they are shown in the order of the log';
      expect(await cli('trace', 'case-1')).toMatchObject({ code: 0, stderr: expect.stringContaining(note) });
      expect((await cli('trace', 'order-7')).stderr).not.toContain(note);
    }));

  test('show tells what an event is, what caused it and what it caused', () =>
    withEvents(async (cli) => {
      const { stdout } = await cli('show', '2', '-o', 'table', '--times', 'iso');
      expect(stdout).toBe(
        [
          '2026-01-01T10:00:00.003Z  Payment-7 1 PaymentRequested  #2',
          `  id ${idOf(2)}`,
          'data, schema version 1',
          '  {}',
          'metadata',
          '  {',
          '    "correlationId": "order-7",',
          `    "causationId": "${idOf(1)}"`,
          '  }',
          'stream',
          '  Payment-7 of type Payment: version 1 of 2',
          'caused by',
          '  -3 ms  Order-7 1 OrderPlaced  #1',
          'caused',
          '  +4 min  Payment-7 2 PaymentReceived  #3',
          '',
        ].join('\n'),
      );
      const laidOut = (await cli('show', idOf(1), '-o', 'table')).stdout;
      expect(laidOut).toContain('  {\n    "n": 12345678901234567890,\n    "x": [\n      {}\n    ]\n  }\n');
      expect((await cli('show', '1', '--raw', '-o', 'table')).stdout).toContain(
        '\n  {"n":12345678901234567890,"x":[{}]}\n',
      );
      const json = (await cli('show', '1', '2', '#6')).stdout.trimEnd().split('\n');
      expect(json[0]).toContain('"data":{"n":12345678901234567890,"x":[{}]}');
      expect(json.map((line) => JSON.parse(line))).toMatchObject([
        {
          event: { globalPosition: 1 },
          causedBy: null,
          effects: [{ globalPosition: 2 }, { globalPosition: 5 }],
          projections: [],
        },
        { stream: { events: 2 }, causedBy: { globalPosition: 1 }, missingCause: null, truncated: false },
        { causedBy: null, missingCause: 'cmd"1\u001b[31m', effects: [] },
      ]);
      expect(await cli('show', '1', '-n', '1', '-o', 'table')).toMatchObject({
        stdout: expect.not.stringContaining('EmailSent'),
        stderr: expect.stringContaining('the first 1 effects; -n N shows more'),
      });
      expect((await cli('show', '3', '1', '-q')).stdout).toBe(`${idOf(3)}\n${idOf(1)}\n`);
      expect((await cli('show', '1', '-o', 'tsv')).stdout.split('\n')[1]).toMatch(/\t\t2,5\tfalse$/);
    }));

  test('what is no event is told what it is, with exit code 6', () =>
    withEvents(async (cli) => {
      const hints: readonly (readonly [command: string, id: string, hint: string])[] = [
        ['show', '99', 'next: evstore show 6'],
        ['show', '0', 'next: evstore show 1'],
        ['show', 'Order-7', 'next: evstore read Order-7'],
        ['show', 'Payment-7@2', 'next: evstore read Payment-7 --from-version 2 --to-version 2'],
        ['show', 'Orde', 'next: evstore streams --prefix Orde'],
        ['show', 'order-7', 'An event is named by its id'],
        ['show', idOf(99), `next: evstore trace ${idOf(99)}`],
        ['trace', '3', `next: evstore trace ${idOf(3)}`],
        ['trace', 'Order-7', 'next: evstore read Order-7'],
        ['trace', 'nothing', 'A correlation id is in the metadata of events'],
      ];
      for (const [command, id, hint] of hints) {
        const { code, stderr } = await cli(command, id);
        expect([code, stderr], `${command} ${id}`).toEqual([6, expect.stringContaining(hint)]);
      }
      // The others are shown.
      expect(await cli('show', '1', '99', '2', '-q')).toMatchObject({ code: 6, stdout: `${idOf(1)}\n${idOf(2)}\n` });
      expect(await cli('show')).toMatchObject({ code: 2 });
    }));

  test('--upcast shows what each projection gets', () =>
    withTestStore(engine, async ({ url }) => {
      const cwd = makeFolder();
      const cli = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      const define = (name: string, up: string) => `export const ${name} = { name: '${name}', version: 1,
        table: { columns: { id: 'text' }, key: 'id' }, on: { Placed: () => ({ id: 'x' }) },
        upcasters: [{ type: 'Placed', from: 1, to: 2, up: ${up} }] };\n`;
      writeFileSync(
        join(cwd, 'code.mjs'),
        define('one', '(data) => ({ ...data, added: 1 })') +
          define('two', '(data) => ({ ...data, added: 1 })') +
          define('three', '() => { throw new Error("no way"); }'),
      );
      await cli('append', 'Order-1', '--type', 'Placed', '--data', '{"big":12345678901234567890}');
      const shown = await cli('show', '1', '--upcast', '--projections', 'code.mjs');
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      expect(shown.stdout).toContain('"data":{"big":12345678901234567890,"added":1}');
      expect(JSON.parse(shown.stdout).upcast).toMatchObject([
        { projections: ['one', 'two'], schemaVersion: 2, error: null },
        { projections: ['three'], schemaVersion: null, data: null, error: expect.stringContaining('no way') },
      ]);
      const table = (await cli('show', '1', '--upcast', '--projections', 'code.mjs', '-o', 'table')).stdout;
      expect(table).toContain('data for one, two, schema version 2\n');
      expect(await cli('show', '1', '--upcast')).toMatchObject({ code: 6 });
    }));

  test('init --index makes the indexes once; doctor lists them; nothing else changes', () =>
    withEvents(async (cli) => {
      const before = await cli('init', '--print-sql');
      const planned = await cli('init', '--index', 'correlation', '--dry-run', '--json');
      const names = ['events_correlation_id_idx', 'events_causation_id_idx'];
      expect(JSON.parse(planned.stdout)).toMatchObject({ indexes: names, dryRun: true });
      const doctor = async () => JSON.parse((await cli('doctor', '--json')).stdout);
      expect((await doctor()).facts).toContainEqual({ name: 'indexes on ids', value: 'missing' });
      const made = await cli('init', '--index', 'correlation', '--no-config');
      expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('indexes of 6 events take about') });
      expect(made.stdout).toContain(`index ${names[0]}: made\nindex ${names[1]}: made\n`);
      const again = await cli('init', '--index', 'correlation', '--no-config');
      expect(again).toMatchObject({ code: 0, stderr: '' });
      expect(again.stdout).not.toContain('index');
      const { facts, findings } = await doctor();
      expect(facts).toContainEqual({ name: 'indexes on ids', value: 'ready' });
      expect(findings.filter(({ kind }: { kind: string }) => /index|schema|guard/.test(kind))).toEqual([]);
      expect(await cli('migrate', 'assert')).toMatchObject({ code: 0 });
      const after = await cli('init', '--print-sql', '--index', 'correlation');
      // Each print chooses a tag for Postgres.
      const withoutTag = (text: string) => text.replaceAll(/\d{1,5}/g, '');
      expect(withoutTag(after.stdout)).toBe(withoutTag(before.stdout));
      expect(await cli('init', '--index', 'colour')).toMatchObject({ code: 2 });
      expect(JSON.parse((await cli('trace', 'order-7', '--json')).stdout)).toMatchObject({
        events: 6,
        searched: { byIndex: true },
      });
    }));

  test('a broken index is found by doctor, and made again', () =>
    withTestStore(engine, async ({ url, raw }) => {
      await raw.query('create index events_causation_id_idx on events (version)');
      const cli = (...argv: string[]) => runCli([...argv, '--store', url]);
      const { findings } = JSON.parse((await cli('doctor', '--json')).stdout);
      expect(findings).toContainEqual(
        expect.objectContaining({
          kind: 'broken-index',
          subject: 'events_causation_id_idx',
          next: 'evstore init --index correlation',
        }),
      );
      await cli('init', '--index', 'correlation', '--no-config');
      expect((await cli('doctor', '--json')).stdout).not.toContain('broken-index');
    }));
});
