/** `evstore snapshots`. */
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';

forEachEngine((engine) => {
  test('lists snapshots with the events since, and prints one as it is stored', () =>
    withTestStore(engine, async ({ store, raw, url }) => {
      const cli = (...argv: string[]) => runCli(['snapshots', ...argv, '--store', url]);
      expect(await cli()).toMatchObject({ code: 0, stderr: expect.stringContaining('no snapshots yet') });
      const evil = 'Order-\u001b[2J';
      for (const streamId of ['Order-1', evil]) {
        await append(store, streamId, makeEvents(3));
        const data = '{"total":9007199254740993,"note":"\u202e"}';
        await raw.query(
          `insert into snapshots (stream_id, snapshot_data, version) values ('${streamId}', '${data}', 2)`,
        );
      }
      const report = JSON.parse((await cli('list', '--json', '--prefix', 'Order-1')).stdout);
      expect(report).toEqual({
        snapshots: [
          {
            streamId: 'Order-1',
            streamType: '',
            version: 2,
            streamVersion: 3,
            eventsSince: 1,
            bytes: 39,
            createdAt: expect.any(String),
            aggregate: null,
            stateVersion: null,
            state: 'foreign',
          },
        ],
      });
      expect((await cli('-q', '--category', 'Order')).stdout.split('\n')).toHaveLength(3);
      expect((await cli('list', '--stream-type', 'X')).code).toBe(6);
      expect((await cli('show', 'Order-1')).stdout).toBe('{"total":9007199254740993,"note":"\\u202e"}\n');
      const whole = (await cli('show', 'Order-1', '--json')).stdout;
      expect(whole).toContain('"state":"foreign","data":{"total":9007199254740993,');
      expect(JSON.parse(whole)).toMatchObject({ streamId: 'Order-1', version: 2 });
      expect((await cli('show', 'Order-1', '-q')).stdout).toBe('2\n');
      const shown = await cli('show', evil, '-o', 'table');
      expect(shown.stdout).toContain(': version 2, 1 event since, 39 B');
      for (const { stdout } of [shown, await cli('list', '-o', 'table')]) expect(stdout).not.toContain('\u001b');
      const misspelt = await cli('show', 'Ordr-1');
      expect(misspelt).toMatchObject({
        code: 6,
        stderr: expect.stringContaining('Did you mean Order-1?\nnext: evstore snapshots show Order-1 '),
      });
      const missing = await cli('show', 'Order-2');
      expect(missing).toMatchObject({ code: 6, stderr: expect.stringContaining('next: evstore snapshots list') });
      expect(missing.stderr).not.toContain('Did you mean');
      await raw.query("insert into snapshots (stream_id, snapshot_data, version) values ('Gone-1', '{}', 9)");
      expect((await cli()).stderr).toContain('1 snapshot of a version that the stream never had: Gone-1');
    }));
});
