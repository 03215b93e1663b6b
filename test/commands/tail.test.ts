import { renameSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shellWord } from '../../src/domain/shell-word.js';
import { Stop } from '../../src/terminal/signals.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { tamper } from '../support/tamper.js';
import { until } from '../support/wait.js';
import { startWireProxy } from '../support/wire-proxy.js';

forEachEngine((engine) => {
  test('the last events, then new ones, until one of a type', () =>
    withTestStore(engine, async ({ url }) => {
      const append = appendTo(url);
      for (const type of ['A', 'B', 'C']) await append(type);
      const argv = ['tail', '-n', '2', '--until-type', 'E', '--timeout', '30s', '--store', url];
      const { tail } = await new Promise<{ tail: ReturnType<typeof runCli> }>((resolve) => {
        const tail = runCli(argv, { onOutput: () => resolve({ tail }) });
      });
      for (const type of ['D', 'E', 'F']) await append(type);
      const { code, stdout } = await tail;
      expect(code).toBe(0);
      expect(typesIn(stdout)).toBe('BCDE');
    }));

  test('from a place, so many, and no further', () =>
    withTestStore(engine, async ({ url }) => {
      const append = appendTo(url);
      for (const type of ['A', 'B', 'C']) await append(type, type === 'B' ? 'User-1' : 'Order-1');
      const types = async (...argv: string[]) => {
        const { stdout } = await runCli(['tail', ...argv, '--no-follow', '--store', url]);
        return typesIn(stdout);
      };
      expect(await types()).toBe('ABC');
      expect(await types('--from', 'start', '--count', '2')).toBe('AB');
      expect(await types('--from', '1')).toBe('BC');
      expect(await types('--from', 'end')).toBe('');
      expect(await types('Order-1', '-n', '1')).toBe('C');
      expect(await types('--category', 'User')).toBe('B');
    }));

  test('idle ends it with 0, its time with 7, a signal with 130', () =>
    withTestStore(engine, async ({ url }) => {
      expect(await runCli(['tail', '--until-idle', '50ms', '--store', url])).toMatchObject({ code: 0 });
      expect(await runCli(['tail', '--timeout', '50ms', '--store', url])).toMatchObject({ code: 7 });
      const controller = new AbortController();
      const tail = runCli(['tail', '--store', url], { signal: controller.signal });
      setTimeout(() => controller.abort(new Stop('SIGINT')), 50);
      expect(await tail).toMatchObject({ code: 130, stdout: '' });
    }));

  test('what ends it says how to continue: the same events, from there, of the same store', () =>
    withTestStore(engine, async ({ url }) => {
      const append = appendTo(url);
      for (const type of ['A', 'B']) await append(type);
      const filter = ['--category', 'Order', '--type', 'A,B', '--store', url];
      const stopping = new AbortController();
      const onOutput = () => stopping.abort(new Stop('SIGINT'));
      const stopped = await runCli(['tail', '-n', '1', ...filter], { signal: stopping.signal, onOutput });
      expect(stopped.code).toBe(130);
      expect(stopped.stderr).toMatch(/1 event in \d+ m?s · continue with: /);
      expect(stopped.stderr).toContain(`evstore tail --category Order --type A,B --store ${shellWord(url)} --from 2\n`);
      const late = await runCli(['tail', '--from=1', '--timeout', '50ms', ...filter]);
      expect(late.stderr).toContain(
        `evstore tail --timeout 50ms --category Order --type A,B --store ${shellWord(url)} --from 2\n`,
      );
    }));
});

test.each([
  ['that is gone', (path: string) => renameSync(path, `${path}.gone`)],
  ['whose write-ahead log is gone', (path: string) => rmSync(`${path}-wal`)],
])('a SQLite file %s while it is open ends it with 10', (_, change) =>
  withTestStore('sqlite', async ({ url }) => {
    await appendTo(url)('A');
    const { tail } = await new Promise<{ tail: ReturnType<typeof runCli> }>((resolve) => {
      const tail = runCli(['tail', '--timeout', '30s', '--store', url], { onOutput: () => resolve({ tail }) });
    });
    change(url.slice('sqlite:'.length));
    const { code, stderr } = await tail;
    expect(code).toBe(10);
    expect(stderr).toContain('was removed while it was open (E_DIVERGED)');
  }),
);

test('a log with another history ends it with 10, and prints nothing of it', () =>
  withTestStore('postgres', async (test) => {
    const append = appendTo(test.url);
    for (const type of ['A', 'B', 'C']) await append(type);
    const { tail } = await new Promise<{ tail: ReturnType<typeof runCli> }>((resolve) => {
      const tail = runCli(['tail', '--timeout', '30s', '--store', test.url], { onOutput: () => resolve({ tail }) });
    });
    // As after a switch to a server that had not received the last event.
    const [truncate, restart] = ['truncate events', 'alter sequence events_global_position_seq restart'];
    await tamper(test, `${truncate}; ${restart}; ${insertRaw(1)}; ${insertRaw(2)}; ${insertRaw(3)}; ${insertRaw(4)}`);
    const { code, stdout, stderr } = await tail;
    expect(code).toBe(10);
    expect(typesIn(stdout)).toBe('ABC');
    expect(stderr).toContain('is not at position 3 (E_DIVERGED)');
  }));

test('a lost connection is told once, and nothing is missed or twice', () =>
  withTestStore('postgres', async ({ url }) => {
    const append = appendTo(url);
    const proxy = await startWireProxy(url);
    try {
      await append('A');
      const heard = { stdout: '', stderr: '' };
      const tail = runCli(['tail', '--count', '3', '--timeout', '30s', '--store', proxy.url], {
        onOutput: (text) => {
          heard.stdout = text;
        },
        onError: (text) => {
          heard.stderr = text;
        },
      });
      await until(() => typesIn(heard.stdout) === 'A');
      proxy.isClosed = true;
      proxy.dropAll();
      await until(() => heard.stderr.includes('trying again from position 1'));
      await append('B');
      proxy.isClosed = false;
      await until(() => heard.stderr.includes('connected again'));
      await append('C');
      const { code, stdout, stderr } = await tail;
      expect({ code, types: typesIn(stdout) }).toEqual({ code: 0, types: 'ABC' });
      expect(stderr.match(/trying again/g)).toHaveLength(1);
    } finally {
      await proxy.close();
    }
  }));

function appendTo(url: string) {
  return async (type: string, stream = 'Order-1') => {
    expect(await runCli(['append', stream, '--type', type, '--store', url])).toMatchObject({ code: 0 });
  };
}

function typesIn(lines: string): string {
  return lines
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line).type]))
    .join('');
}

function insertRaw(version: number): string {
  return `insert into events (stream_id, event_type, event_data, version) values ('Other-1', 'Z', '{}', ${version})`;
}
