/** A real terminal: what a person sees, and that Ctrl-C reaches the program. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pty from '@lydell/node-pty';
import { beforeAll, expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { compileProgram } from '../support/compile.js';

let program: string;
let cwd: string;
let url: string;

beforeAll(async () => {
  program = compileProgram('bin/evstore.ts');
  cwd = makeFolder();
  url = `sqlite:${cwd}/store.db`;
  await runCli(['init', '--no-config', '--store', url]);
  await runCli(['append', 'Order-1', '--type', 'Placed', '--data', '{"total":1.50}', '--store', url]);
});

interface Typed {
  /** Typed as soon as the terminal shows this. */
  readonly when: RegExp;
  readonly keys: string;
}

function runInTerminal(argv: readonly string[], typed?: Typed, extra: NodeJS.ProcessEnv = {}) {
  const { CI: _ci, NO_COLOR: _noColor, FORCE_COLOR: _forced, ...inherited } = process.env;
  const env = { ...inherited, TERM: 'xterm-256color', EVSTORE_URL: url, ...extra };
  return new Promise<{ screen: string; code: number; signal: number | undefined }>((resolve) => {
    const terminal = pty.spawn(process.execPath, [program, ...argv], { cwd, cols: 80, rows: 24, env });
    let screen = '';
    let isTyped = false;
    terminal.onData((text) => {
      screen += text;
      if (typed === undefined || isTyped || !typed.when.test(screen)) return;
      isTyped = true;
      terminal.write(typed.keys);
    });
    terminal.onExit(({ exitCode, signal }) => resolve({ screen, code: exitCode, signal }));
  });
}

test('events are text in colour, and plain where colour is not wanted', async () => {
  const { screen, code } = await runInTerminal(['read']);
  expect(code).toBe(0);
  expect(screen).toContain('Order-1\u001b[39m  1  \u001b[1mPlaced\u001b[22m');
  expect(screen).toContain('{total: 1.50}');
  for (const [argv, env] of [
    [['--color', 'never'], {}],
    [[], { NO_COLOR: '1' }],
    [[], { TERM: 'dumb' }],
  ] as const) {
    expect((await runInTerminal(['read', ...argv], undefined, env)).screen).not.toContain('\u001b');
  }
});

test('Ctrl-C ends a tail by SIGINT', async () => {
  const { screen, signal } = await runInTerminal(['tail', '-n', '5'], { when: /1\.50/, keys: '\u0003' });
  expect(signal).toBe(2);
  expect(screen).toMatch(/1 event in \d+ m?s · continue with: (npx )?evstore tail --from 1\D/);
});

test('a rebuild shows its step, a bar and how far it is', async () => {
  mkdirSync(join(cwd, 'projections'), { recursive: true });
  const table = "{ columns: { id: 'text' }, key: 'id' }";
  // The spinner is drawn between batches of one event each.
  const slow = '() => { const end = Date.now() + 2; while (Date.now() < end); return {}; }';
  const source = `export default { name: 'placed', version: 1, table: ${table}, on: { Slow: ${slow} } };`;
  const lines = Array.from({ length: 300 }, (_, n) => `{"streamId":"Slow-${n}","type":"Slow","data":{}}`);
  writeFileSync(join(cwd, 'slow.ndjson'), `${lines.join('\n')}\n`);
  await runCli(['import', 'slow.ndjson', '--store', url], { cwd });
  writeFileSync(join(cwd, 'projections/placed.mjs'), source);
  const { screen, code } = await runInTerminal(['rebuild', 'placed', '--batch-size', '1'], undefined, {
    LANG: 'C.UTF-8',
  });
  expect(code).toBe(0);
  expect(screen).toMatch(/ {3,}[a-z]+ [▓░]{16} +\d+ % .* rebuild placed/);
});

test('a terminal of no width gets lines instead of a spinner, and an end', async () => {
  const lines = Array.from({ length: 3_000 }, (_, n) => `{"streamId":"Wide-${n}","type":"T","data":{}}`);
  writeFileSync(join(cwd, 'wide.ndjson'), `${lines.join('\n')}\n`);
  const { CI: _ci, ...inherited } = process.env;
  const env = { ...inherited, TERM: 'xterm-256color', EVSTORE_URL: url, NODE: process.execPath, program };
  const script = 'stty cols 0; "$NODE" "$program" import wide.ndjson; echo "exit $?"';
  const screen = await new Promise<string>((resolve) => {
    const terminal = pty.spawn('sh', ['-c', script], { cwd, cols: 80, rows: 24, env });
    let shown = '';
    terminal.onData((text) => {
      shown += text;
    });
    terminal.onExit(() => resolve(shown));
  });
  expect(screen).toContain('3,000 events imported');
  expect(screen).toContain('exit 0');
  expect(screen.length).toBeLessThan(2_000);
});
