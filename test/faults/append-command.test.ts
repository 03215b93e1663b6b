/** The append and tail commands, when what goes on at the server is not to be seen. */
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { withTestStore } from '../support/engines.js';
import { startWireProxy } from '../support/wire-proxy.js';

test('A15: the error says the command that finds out, and it writes nothing twice', () =>
  withTestStore('postgres', async ({ url, raw }) => {
    const proxy = await startWireProxy(url);
    try {
      let isAppend = false;
      proxy.cutWhen(({ kind, bytes }) => {
        isAppend ||= kind === 'P' && bytes.includes('evstore_append');
        if (isAppend && kind === 'S') proxy.isClosed = true;
        return isAppend && kind === 'S';
      }, 'after');
      const flags = ['--type', 'OrderPlaced', '--data', '{"a":"b c"}', '--timeout', '200ms'];
      const argv = ['append', 'Order-1', ...flags, '--store', proxy.url];
      const lost = await runCli([...argv, '--json']);
      expect(lost).toMatchObject({ code: 7, stdout: '' });
      const { code, next, details } = JSON.parse(lost.stderr).error;
      expect(code).toBe('E_OUTCOME_UNKNOWN');
      expect(next).toContain(`--id ${details.ids[0]}`);
      expect(next).toContain(`--data '{"a":"b c"}'`);
      proxy.isClosed = false;
      const again = await runCli([...argv, '--id', details.ids[0], '--json']);
      expect(JSON.parse(again.stdout)).toMatchObject({ version: 1, deduplicated: true });
      expect(await raw.query('select id from events')).toEqual([{ id: details.ids[0] }]);
    } finally {
      await proxy.close();
    }
  }));

test('tail says who holds readers back, once', () =>
  withTestStore('postgres', async ({ url, raw, connect }) => {
    const insert = `insert into events (stream_id, event_type, event_data, version) values`;
    await raw.query(`begin; ${insert} ('Slow-1', 'T', '{}', 1)`);
    await (await connect()).query(`${insert} ('Fast-1', 'T', '{}', 1)`);
    const waiting = runCli(['tail', '--from', 'start', '--count', '2', '--store', url], {
      onError: (text) => {
        if (text.includes('held')) raw.query('commit').catch(() => {});
      },
    });
    const { code, stdout, stderr } = await waiting;
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).streamId),
    ).toEqual(['Slow-1', 'Fast-1']);
    expect(stderr).toMatch(/readers held at 0 of 2 for \d+ s by process \d+ \(somebody else\)/);
    expect(stderr.match(/held/g)).toHaveLength(1);
  }));
