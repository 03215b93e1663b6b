/** Events that SQL wrote and import refuses: verify names them, and import has a way past them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents, readAll } from '../support/events.js';

forEachEngine((engine) => {
  /** What a program in another language may write on this engine, and import refuses. */
  const written: readonly { kind: string; reason: RegExp; type?: string; data?: string; metadata?: string }[] = [
    { kind: 'refused-data', reason: /\\u0000 cannot be stored/, data: String.raw`{"a":"\u0000"}` },
    { kind: 'refused-data', reason: /surrogate/, data: String.raw`{"a":"\ud800"}` },
    { kind: 'refused-data', reason: /twice|duplicate/i, data: '{"a":1,"a":2}' },
    { kind: 'refused-data', reason: /nested|levels|deep/, data: `${'['.repeat(200)}${']'.repeat(200)}` },
    { kind: 'refused-metadata', reason: /not a JSON object/, metadata: '[1]' },
    { kind: 'refused-metadata', reason: /surrogate/, metadata: String.raw`{"a":"\udc00"}` },
    ...(engine === 'sqlite'
      ? [{ kind: 'refused-name', reason: /event type contains the character U\+0000/, type: 'a\0b' }]
      : []),
  ];

  test('verify names them by kind with the first position; export and import copy the rest', () =>
    withTestStore(engine, async ({ store, url, raw }) => {
      await append(store, 'Order-1', makeEvents(2));
      for (const [index, { type = 'T', data = '{}', metadata = '{}' }] of written.entries()) {
        const values = engine === 'postgres' ? '$1, $2, $3, $4, $5' : '?, ?, ?, ?, ?';
        await raw.query(
          `insert into events (stream_id, event_type, event_data, metadata, version) values (${values})`,
          [`Raw-${index}`, type, data, metadata, 1],
        );
      }
      await append(store, 'Order-1', [makeEvent()], 2);

      const { code, stdout } = await runCli(['verify', '--json', '--store', url]);
      expect(code).toBe(0);
      const found = JSON.parse(stdout).findings.filter(({ kind }: { kind: string }) => kind.startsWith('refused-'));
      for (const [index, { kind, reason }] of written.entries()) {
        const next = `evstore read --after ${index + 2} -n 1`;
        expect(found).toContainEqual(
          expect.objectContaining({ kind, severity: 'warning', next, detail: expect.stringMatching(reason) }),
        );
      }
      expect(found).toHaveLength(written.length);

      const { stdout: lines } = await runCli(['export', '--store', url]);
      expect(lines.trim().split('\n')).toHaveLength(written.length + 3);
      await withTestStore(engine, async (copy) => {
        const refused = await runCli(['import', '--json', '--store', copy.url], { stdin: lines });
        expect(refused.code).toBe(2);
        const { message, next } = JSON.parse(refused.stderr).error;
        expect(message).toContain('line 3');
        expect(next).toContain('--on-invalid skip');
        const imported = await runCli(['import', '--on-invalid', 'skip', '--json', '--store', copy.url], {
          stdin: lines,
        });
        expect(imported.code, imported.stderr).toBe(0);
        expect(JSON.parse(imported.stdout)).toMatchObject({
          imported: 3,
          invalid: written.length,
          lines: written.length + 3,
        });
        for (const index of written.keys()) expect(imported.stderr).toContain(`line ${index + 3}`);
        expect(await readAll(copy.store)).toMatchObject(
          (await readAll(store)).filter(({ streamId }) => streamId === 'Order-1').map(({ id }) => ({ id })),
        );
      });
    }));

  test('import leaves out lines that are not UTF-8 or too long, and imports what follows them', () =>
    withTestStore(engine, async ({ url, store }) => {
      const folder = mkdtempSync(join(tmpdir(), 'evstore-lines-'));
      const file = join(folder, 'a.ndjson');
      const line = (n: number) => Buffer.from(`{"streamId":"a","type":"T","data":{"n":${n}}}\n`);
      const wrong = Buffer.concat([
        Buffer.from('{"streamId":"a","type":"T","data":"'),
        Buffer.from([0xff, 0x22, 0x7d, 10]),
      ]);
      const long = Buffer.from(`{"streamId":"a","type":"T","data":"${'x'.repeat(3_000_000)}"}\n`);
      writeFileSync(file, Buffer.concat([line(1), wrong, line(2), long, line(3), Buffer.from([0xc3])]));
      try {
        const refused = await runCli(['import', file, '--json', '--store', url]);
        expect(refused.code).toBe(2);
        const { message, next } = JSON.parse(refused.stderr).error;
        expect(message).toBe(`${file} line 2 is not UTF-8`);
        expect(next).toContain('--on-invalid skip');
        for (const imported of [3, 0]) {
          const again = await runCli(['import', file, '--on-invalid', 'skip', '--json', '--store', url]);
          expect(again).toMatchObject({ code: 0 });
          expect(JSON.parse(again.stdout)).toMatchObject({ imported, known: 3 - imported, invalid: 3, lines: 6 });
          expect(again.stderr).toContain('line 2 is not UTF-8');
          expect(again.stderr).toContain('line 4 is longer than');
          expect(again.stderr).toContain('line 6 is not UTF-8');
        }
        expect((await readAll(store)).map(({ version, data }) => [version, data])).toEqual([
          [1, '{"n":1}'],
          [2, '{"n":2}'],
          [3, '{"n":3}'],
        ]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }));

  test('import names ten lines that it leaves out and counts the rest; --dry-run does, too', () =>
    withTestStore(engine, async ({ url }) => {
      const stdin = '{"streamId":"a","type":"T","data":{"x":1,"x":2}}\n'.repeat(12);
      for (const mode of [[], ['--dry-run']]) {
        const { code, stdout, stderr } = await runCli(
          ['import', '--on-invalid', 'skip', '--json', '--store', url, ...mode],
          { stdin },
        );
        expect(code).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ imported: 0, invalid: 12, lines: 12 });
        expect(stderr.match(/left out/g)).toHaveLength(11);
        expect(stderr).toContain('left out 2 more lines');
      }
    }));

  test('an event above 1 MB is refused by the table', () =>
    withTestStore(engine, async ({ raw, store }) => {
      for (const column of ['event_data', 'metadata']) {
        const other = column === 'metadata' ? 'event_data' : 'metadata';
        const insert = (length: number) =>
          raw.query(
            `insert into events (stream_id, event_type, ${column}, ${other}, version)
             values ('Big-${column}-${length}', 'T', '{"a":"${'x'.repeat(length - 8)}"}', '{}', 1)`,
          );
        await insert(1_048_576);
        await expect(insert(1_048_577)).rejects.toThrow(`events_${column}_check`);
      }
      expect(await readAll(store)).toHaveLength(2);
    }));
});
