import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

function makeLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
    const data = `{ "n":1234567890123456789${index}.10,"note":"Zürich"}`;
    return `{"streamId":"Permit-${index % 7}","type":"Step","data":${data},"metadata":{"k":1.0},"createdAt":"${at}"}`;
  });
}

forEachEngine((engine) => {
  test('a second run of the same file changes nothing', () =>
    withTestStore(engine, async ({ url }) => {
      const cwd = makeFolder();
      writeFileSync(join(cwd, 'a.ndjson.gz'), gzipSync(makeLines(50).join('\n')));
      const run = async () => {
        const { code, stdout } = await runCli(['import', 'a.ndjson.gz', '--batch-size', '8', '--store', url], { cwd });
        expect(code).toBe(0);
        return JSON.parse(stdout);
      };
      expect(await run()).toEqual({
        imported: 50,
        known: 0,
        skipped: 0,
        streams: 7,
        invalid: 0,
        lines: 50,
        dryRun: false,
      });
      expect(await run()).toEqual({
        imported: 0,
        known: 50,
        skipped: 0,
        streams: 0,
        invalid: 0,
        lines: 50,
        dryRun: false,
      });
    }));

  test('lines without an id from stdin are new events each time, unless --source names where they come from', () =>
    withTestStore(engine, async ({ url }) => {
      const stdin = '{"streamId":"Counter-1","type":"Counted","data":{}}\n'.repeat(2);
      const pipe = async (...argv: string[]) =>
        JSON.parse((await runCli(['import', '--store', url, ...argv], { stdin })).stdout);
      expect(await pipe()).toMatchObject({ imported: 2, known: 0 });
      expect(await pipe('-')).toMatchObject({ imported: 2, known: 0 });
      expect(await pipe('--source', 'monday')).toMatchObject({ imported: 2, known: 0 });
      expect(await pipe('--source', 'monday')).toMatchObject({ imported: 0, known: 2 });
      expect(await pipe('--source', 'tuesday')).toMatchObject({ imported: 2, known: 0 });
    }));

  test('files of one name with an equal line are different events; a file that has grown keeps its ids', () =>
    withTestStore(engine, async ({ url }) => {
      const cwd = makeFolder();
      const line = (n: number) => `{"streamId":"Order-1","type":"Step","data":{"n":${n}}}`;
      const importFile = async (folder: string, ...numbers: number[]) => {
        mkdirSync(join(cwd, folder), { recursive: true });
        writeFileSync(join(cwd, folder, 'day.ndjson'), numbers.map((n) => `${line(n)}\n`).join(''));
        return JSON.parse((await runCli(['import', `${folder}/day.ndjson`, '--store', url], { cwd })).stdout);
      };
      expect(await importFile('a', 1, 2)).toMatchObject({ imported: 2, known: 0 });
      expect(await importFile('b', 3, 2)).toMatchObject({ imported: 2, known: 0 });
      expect(await importFile('c', 1, 2, 4), 'elsewhere, and longer').toMatchObject({ imported: 1, known: 2 });
    }));

  test('what is exported comes back the same from an import', () =>
    withTestStore(engine, (from) =>
      withTestStore(engine, async (to) => {
        const cwd = makeFolder();
        const lines = makeLines(30);
        await runCli(['import', '--store', from.url], { stdin: lines.join('\n') });
        const exported = await runCli(['export', '--to', 'out.ndjson.gz', '--store', from.url, '--json'], { cwd });
        expect(JSON.parse(exported.stdout)).toEqual({ file: 'out.ndjson.gz', events: 30, dryRun: false });
        expect(readdirSync(cwd)).toEqual(['out.ndjson.gz']);
        const text = gunzipSync(readFileSync(join(cwd, 'out.ndjson.gz'))).toString();
        expect(text).toContain('{ "n":12345678901234567890.10,"note":"Zürich"}');
        expect(await runCli(['import', 'out.ndjson.gz', '--store', to.url], { cwd })).toMatchObject({ code: 0 });
        expect((await runCli(['export', '--store', to.url])).stdout).toBe(text);
      }),
    ));

  test('a broken line is named; what stands before it is told, and a rerun goes on', () =>
    withTestStore(engine, async ({ url }) => {
      const cwd = makeFolder();
      const file = join(cwd, 'a.ndjson');
      const lines = makeLines(10);
      writeFileSync(
        file,
        [...lines.slice(0, 7), '{"streamId":"Permit-1","type":"Step","data":{]}', ...lines.slice(8)].join('\n'),
      );
      const importFile = () => runCli(['import', 'a.ndjson', '--batch-size', '5', '--store', url, '--json'], { cwd });
      const { code, stderr } = await importFile();
      expect(code).toBe(2);
      const { error } = JSON.parse(stderr);
      expect(error).toMatchObject({ code: 'E_INVALID_INPUT', details: { line: 8, column: 46, storedUpToLine: 5 } });
      expect(error.message).toContain('a.ndjson line 8');
      writeFileSync(file, lines.join('\n'));
      expect(JSON.parse((await importFile()).stdout)).toMatchObject({ imported: 5, known: 5 });
    }));

  test('a known id with other content fails or is left out', () =>
    withTestStore(engine, async ({ url }) => {
      const id = '0190c0de-0000-7000-8000-000000000001';
      const line = (n: number) => `{"streamId":"A-1","type":"T","data":{"n":${n}},"id":"${id}"}`;
      const importLine = (n: number, ...argv: string[]) =>
        runCli(['import', '--store', url, ...argv], { stdin: line(n) });
      expect(await importLine(1)).toMatchObject({ code: 0 });
      expect(await importLine(2)).toMatchObject({ code: 4 });
      const skipped = await importLine(2, '--on-conflict', 'skip');
      expect(JSON.parse(skipped.stdout)).toMatchObject({ imported: 0, known: 0, skipped: 1 });
    }));
});

test('a dry run checks every line and opens no store', async () => {
  const broken = `${makeLines(3).join('\n')}\n{"type":"T","data":{}}`;
  const checked = await runCli(['import', '--dry-run'], { stdin: makeLines(3).join('\n') });
  expect(checked).toMatchObject({ code: 0 });
  const unknown = { known: null, skipped: null, streams: null, invalid: 0 };
  expect(JSON.parse(checked.stdout)).toEqual({ imported: 3, ...unknown, lines: 3, dryRun: true });
  const { code, stderr } = await runCli(['import', '--dry-run'], { stdin: broken });
  expect(code).toBe(2);
  expect(stderr).toContain("stdin line 4: the member 'streamId' is missing");
});

test.each([
  ['[{"streamId":"A","type":"T","data":{}}]', "jq -c '.[]'"],
  ['[\n  {"streamId":"A","type":"T","data":{}}\n]', "jq -c '.[]'"],
  ['{\n  "streamId": "A"\n}', 'jq -c .'],
])('JSON that is not one event a line is answered with the jq that makes lines: %j', async (stdin, jq) => {
  for (const argv of [
    ['import', '--dry-run'],
    ['append', 'A', '--from', '-', '--dry-run'],
  ]) {
    const { code, stderr } = await runCli(argv, { stdin });
    expect(code).toBe(2);
    expect(stderr).toContain(`${jq} FILE writes`);
  }
});

test('an import that failed before it wrote names no line 0', async () => {
  const cwd = makeFolder();
  writeFileSync(join(cwd, 'a.ndjson'), '{"streamId":"A","type":"T","data":{}}');
  const { code, stderr } = await runCli(['import', 'a.ndjson'], { cwd, env: { EVSTORE_URL: `sqlite:${cwd}/none.db` } });
  expect(code).toBe(2);
  expect(stderr).not.toContain('line 0');
});

test('an export that fails leaves no file', async () => {
  const cwd = makeFolder();
  await runCli(['init', '--no-config'], { cwd, env: { EVSTORE_URL: `sqlite:${cwd}/s.db` } });
  const env = { EVSTORE_URL: `sqlite:${cwd}/s.db` };
  expect(await runCli(['export', '--to', 'missing/out.ndjson'], { cwd, env })).toMatchObject({ code: 74 });
  expect(await runCli(['export', 'Order-1', '--to', 'out.ndjson'], { cwd, env })).toMatchObject({ code: 6 });
  expect(readdirSync(cwd).filter((name) => name.includes('out'))).toEqual([]);
});
