import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { makeShopEvents } from '../../src/scaffold/sample-shop.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'evstore-demo-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const demo = (args: readonly string[] = [], env = {}) => runCli(['demo', ...args], { cwd, env });

/** The commands under "Try next", as words. */
function nextCommands(stdout: string): readonly (readonly string[])[] {
  const [, tail = ''] = stdout.split('Try next:\n');
  const lines = tail.trim().split('\n').slice(1);
  return lines.map((line) => [...line.trim().matchAll(/'([^']*)'|(\S+)/g)].map(([, a, b]) => a ?? b ?? ''));
}

test('the main job, narrated, and what it says to try next works', async () => {
  const { code, stdout, stderr } = await demo();
  expect(stderr).toBe('');
  expect(code).toBe(0);
  for (const shown of [
    /\$ evstore init/,
    /events imported/,
    /order_summary: at position \d+, \d+ events applied/,
    /order_summary: version 1 is live/,
    /1 completed, 1 compensated/,
    /over the credit limit/,
  ]) {
    expect(stdout).toMatch(shown);
  }
  expect(stdout).not.toContain(cwd);
  expect(stdout.split('\n').length).toBeLessThan(36);
  const next = nextCommands(stdout);
  expect(next).toHaveLength(3);
  for (const [program, ...argv] of next) {
    expect(program).toBe('evstore');
    const result = await runCli(argv, { cwd: join(cwd, 'evstore-demo') });
    expect(result, argv.join(' ')).toMatchObject({ code: 0 });
    expect(result.stdout).not.toBe('');
  }
});

test('--dry-run says what it would run, and writes nothing', async () => {
  const { code, stdout } = await demo(['--dry-run']);
  expect({ code, files: readdirSync(cwd) }).toEqual({ code: 0, files: [] });
  expect(stdout).toContain('$ evstore rebuild order_summary\n');
  expect(JSON.parse((await demo(['--dry-run', '--json'])).stdout)).toMatchObject({ dryRun: true });
});

test('a folder that is not empty is left as it is', async () => {
  mkdirSync(join(cwd, 'evstore-demo'));
  writeFileSync(join(cwd, 'evstore-demo/mine'), '');
  expect(await demo()).toMatchObject({ code: 2, stdout: '' });
  expect(readdirSync(join(cwd, 'evstore-demo'))).toEqual(['mine']);
  expect(await demo(['--dir', 'evstore-demo/mine'])).toMatchObject({ code: 2, stdout: '' });
});

test('what the environment names is neither written to nor read by what it says to try', async () => {
  const { code, stdout } = await demo(['--dir', 'shop'], { EVSTORE_URL: `sqlite:${join(cwd, 'precious.db')}` });
  expect(code).toBe(0);
  expect(readdirSync(cwd)).toEqual(['shop']);
  for (const words of nextCommands(stdout)) expect(words.slice(-2)).toEqual(['--store', 'sqlite:./shop.db']);
});

test('programs get one JSON document', async () => {
  const { stdout, stderr } = await demo(['--json']);
  expect(JSON.parse(stdout)).toMatchObject({ folder: join(cwd, 'evstore-demo'), next: expect.any(Array) });
  expect(stderr).toBe('');
});

forEachEngine((engine) => {
  test('in a store of another place, unless it holds events', () =>
    withTestStore(engine, async ({ url }) => {
      const first = await demo(['--store', url]);
      expect(first.code, first.stderr).toBe(0);
      const store = await openStore(url);
      let events = 0;
      for await (const _ of store.readAll()) events += 1;
      await store.close();
      expect(events).toBeGreaterThan(3_000);
      expect(await demo(['--store', url, '--dir', 'second'])).toMatchObject({ code: 2, stdout: '' });
      expect(readdirSync(cwd)).toEqual(['evstore-demo']);
    }));
});

test('the sample events are the same every time, causes before effects', () => {
  const events = makeShopEvents(50);
  expect(makeShopEvents(50)).toEqual(events);
  const seen = new Set<string>();
  for (const { id, metadata } of events) {
    expect(seen.has(id)).toBe(false);
    if (metadata.causationId !== undefined) expect(seen.has(metadata.causationId)).toBe(true);
    seen.add(id);
  }
});
