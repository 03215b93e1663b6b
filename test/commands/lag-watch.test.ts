/** `lag --watch` on a real terminal and in a pipe, and `lag --listen`. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import pty from '@lydell/node-pty';
import { expect, test } from 'vitest';
import { Stop } from '../../src/terminal/signals.js';
import { placeOrders } from '../projection/orders.js';
import { runCli } from '../support/cli.js';
import { compileProgram } from '../support/compile.js';
import { until } from '../support/wait.js';
import { startWireProxy } from '../support/wire-proxy.js';
import { type Shop, withShop } from './shop.js';

interface Terminal {
  /** Everything that was written, and the same without what moves the cursor or colours. */
  readonly screen: string;
  readonly text: string;
  readonly ended: Promise<{ code: number; signal: number | undefined }>;
  shows(pattern: RegExp): Promise<void>;
  type(keys: string): void;
  resize(columns: number, rows: number): void;
}

function openTerminal({ cwd }: Pick<Shop, 'cwd'>, url: string, ...argv: string[]): Terminal {
  const { CI: _ci, NO_COLOR: _noColor, FORCE_COLOR: _forced, ...inherited } = process.env;
  const env = { ...inherited, TERM: 'xterm-256color', LANG: 'C.UTF-8', EVSTORE_URL: url };
  const program = compileProgram('bin/evstore.ts');
  const terminal = pty.spawn(process.execPath, [program, ...argv], { cwd, cols: 100, rows: 12, env });
  let screen = '';
  terminal.onData((text) => {
    screen += text;
  });
  return {
    get screen() {
      return screen;
    },
    get text() {
      return stripVTControlCharacters(screen).replaceAll('\r', '');
    },
    ended: new Promise((resolve) => terminal.onExit(({ exitCode, signal }) => resolve({ code: exitCode, signal }))),
    shows: (pattern) =>
      until(
        () => pattern.test(stripVTControlCharacters(screen)),
        () => screen.slice(-1_000),
      ),
    type: (keys) => terminal.write(keys),
    resize: (columns, rows) => terminal.resize(columns, rows),
  };
}

const showsCursor = '\u001b[?25h';

test('on a terminal: one frame drawn in place, keys, a new size, and q', () =>
  withShop('sqlite', async (shop) => {
    await placeOrders(shop.test.store, 3);
    await shop.evstore('run', '--once');
    await placeOrders(shop.test.store, 2, 10, 3);
    const terminal = openTerminal(shop, shop.test.url, 'lag', '--watch', '50ms');
    await terminal.shows(/order_summary +idle +~?2 /);
    await until(() => terminal.screen.includes('\u001b[4A'));
    terminal.type('?');
    await terminal.shows(/scale of logarithms/);
    terminal.type('n');
    terminal.type('?');
    await terminal.shows(/ s sort {3}n name/);
    terminal.resize(45, 12);
    await terminal.shows(/order_summary 2 /);
    terminal.type('q');
    expect(await terminal.ended).toEqual({ code: 0, signal: 0 });
    const times = (sequence: string) => terminal.screen.split(sequence).length;
    expect(times('\u001b[?2026h')).toBe(times('\u001b[?2026l'));
    expect(terminal.screen).not.toContain('\u001b[?1049h');
    expect(terminal.screen.endsWith(showsCursor)).toBe(true);
  }));

test('at the end, q exits 1 when a limit is exceeded, and Ctrl-C ends it by SIGINT with the cursor back', () =>
  withShop('sqlite', async (shop) => {
    await shop.evstore('run', '--once');
    await placeOrders(shop.test.store, 2);
    const over = openTerminal(shop, shop.test.url, 'lag', '--watch', '50ms', '--max-lag', '1');
    await over.shows(/order_summary/);
    over.type('q');
    expect(await over.ended).toEqual({ code: 1, signal: 0 });
    const stopped = openTerminal(shop, shop.test.url, 'lag', '--watch', '50ms');
    await stopped.shows(/order_summary/);
    stopped.type('\u0003');
    expect((await stopped.ended).signal).toBe(2);
    expect(stopped.screen.endsWith(showsCursor)).toBe(true);
  }));

test('a lost connection is shown with the last values and their time, and found again', () =>
  withShop('postgres', async (shop) => {
    await shop.evstore('run', '--once');
    await placeOrders(shop.test.store, 2);
    const proxy = await startWireProxy(shop.test.url);
    try {
      const terminal = openTerminal(shop, proxy.url, 'lag', '--watch', '50ms');
      await terminal.shows(/order_summary +idle +~?2 /);
      proxy.isClosed = true;
      proxy.dropAll();
      await terminal.shows(/reconnecting… \(last \d\d:\d\d:\d\d\)/);
      expect(terminal.text.split('reconnecting').at(-1)).toMatch(/order_summary +idle +~?2 /);
      proxy.isClosed = false;
      await until(
        () => /safe 2 .* \d\d:\d\d:\d\d\n/.test(terminal.text.split('reconnecting').at(-1) ?? ''),
        () => terminal.text.slice(-1_000),
      );
      terminal.type('q');
      expect((await terminal.ended).code).toBe(0);
    } finally {
      await proxy.close();
    }
  }));

test('in a pipe: the heading once, then a line for each change; as JSON, a line for each measurement', () =>
  withShop('sqlite', async ({ test, evstore, evstoreWith }) => {
    await evstore('run', '--once');
    let measured = 0;
    let isAppended = false;
    const stopping = new AbortController();
    const stopLater = (text: string) => {
      measured = text.trimEnd().split('\n').length;
      if (measured >= 2 && !isAppended) {
        isAppended = true;
        void placeOrders(test.store, 2);
      }
      if (/\t2\t/.test(text)) stopping.abort(new Stop('SIGINT'));
    };
    const watching = { signal: stopping.signal, onOutput: stopLater };
    const { code, stdout } = await evstoreWith(watching, 'lag', '--watch', '5ms');
    expect(code).toBe(130);
    const [head, ...rows] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(head?.[0]).toBe('name');
    expect(head?.at(-1)).toBe('at');
    const lags = rows.map((fields) => fields[head?.indexOf('lag') ?? -1]);
    // The append of two events may be seen after each of them.
    expect(lags.filter((lag) => lag !== '1')).toEqual(['0', '2']);

    const ending = new AbortController();
    const onOutput = (text: string) => text.split('\n').length > 3 && ending.abort(new Stop('SIGINT'));
    const json = await evstoreWith({ signal: ending.signal, onOutput }, 'lag', '--watch', '5ms', '--json');
    const reports = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(reports.length).toBeGreaterThan(2);
    expect(reports[0]).toMatchObject({ head: 2, projections: [{ name: 'order_summary', lag: 2 }] });
  }));

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(url: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    asked.on('error', reject).end();
  });
}

test('--listen answers scrapes with metrics, shares one query, and is 503 with a code while the store is away', () =>
  withShop('postgres', async ({ test, evstore, cwd }) => {
    await evstore('run', '--once');
    await placeOrders(test.store, 2);
    const proxy = await startWireProxy(test.url);
    const stopping = new AbortController();
    let origin = '';
    const onError = (text: string) => {
      origin = /metrics: (http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(text)?.[1] ?? '';
    };
    const options = { cwd, signal: stopping.signal, onError };
    const served = runCli(['lag', '--listen', ':0', '--store', proxy.url], options);
    try {
      await until(() => origin !== '');
      const before = proxy.messages.length;
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(`${origin}/metrics`)));
      const asked = proxy.messages.length - before;
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
      expect(answers[0]?.body).toContain('evstore_projection_lag{projection="order_summary"} 2\n');
      await ask(`${origin}/metrics`);
      expect(proxy.messages.length - before).toBeLessThanOrEqual(2 * asked);
      expect(await ask(`${origin}/-/healthy`)).toEqual({ status: 200, body: 'ok\n' });
      expect((await ask(`${origin}/other`)).status).toBe(404);
      expect((await ask(`${origin}/metrics`, 'POST')).status).toBe(405);
      proxy.isClosed = true;
      proxy.dropAll();
      expect(await ask(`${origin}/metrics`)).toEqual({ status: 503, body: expect.stringMatching(/^E_CONNECT: /) });
      expect((await ask(`${origin}/-/healthy`)).status).toBe(200);
      proxy.isClosed = false;
      expect((await ask(`${origin}/metrics`)).status).toBe(200);
    } finally {
      stopping.abort(new Stop('SIGTERM'));
      expect((await served).code).toBe(143);
      await proxy.close();
    }
  }));

test('--listen: an address that is none or is taken, and what it cannot be combined with', () =>
  withShop('sqlite', async ({ evstore }) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const isTaken = await evstore('lag', '--listen', `127.0.0.1:${port}`);
    expect(isTaken).toMatchObject({ code: 2, stderr: expect.stringContaining('EADDRINUSE') });
    taken.close();
    for (const address of ['here', ':70000', '[::1]']) {
      const { code, stderr } = await evstore('lag', '--listen', address);
      expect([code, stderr]).toEqual([2, expect.stringContaining('is not :PORT or HOST:PORT')]);
    }
    expect((await evstore('lag', '--listen', ':0', '--watch')).code).toBe(2);
    expect((await evstore('lag', '--listen', ':0', '-o', 'nagios')).code).toBe(2);
  }));
