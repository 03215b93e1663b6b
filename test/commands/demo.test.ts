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

test('the main job is narrated, writes to its own folder only, and what it says to try next works', async () => {
  // What the environment names is neither written to nor read, by the demo or by what it says to try.
  const env = { EVSTORE_URL: `sqlite:${join(cwd, 'precious.db')}` };
  const { code, stdout, stderr } = await demo(['--dir', 'shop'], env);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  for (const shown of [
    /\$ evstore init/,
    /events imported/,
    /order_summary: at position [\d,]+, [\d,]+ events applied/,
    /order_summary: version 1 is live/,
    /1 completed, 1 compensated/,
    /over the credit limit/,
  ]) {
    expect(stdout).toMatch(shown);
  }
  expect(stdout).not.toContain(cwd);
  expect(stdout.split('\n').length).toBeLessThan(40);
  expect(readdirSync(cwd)).toEqual(['shop']);
  const next = nextCommands(stdout);
  expect(next).toHaveLength(3);
  for (const [program, ...argv] of next) {
    expect(program).toBe('evstore');
    expect(argv.slice(-2)).toEqual(['--store', 'sqlite:./shop.db']);
    const result = await runCli(argv, { cwd: join(cwd, 'shop'), env });
    expect(result, argv.join(' ')).toMatchObject({ code: 0 });
    expect(result.stdout).not.toBe('');
  }
  expect(readdirSync(cwd)).toEqual(['shop']);
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

forEachEngine((engine) => {
  test('--store takes a store of another place unless it holds events, and --json prints one document', () =>
    withTestStore(engine, async ({ url }) => {
      const { code, stdout, stderr } = await demo(['--store', url, '--json']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ folder: join(cwd, 'evstore-demo'), next: expect.any(Array) });
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
