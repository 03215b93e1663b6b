import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

forEachEngine((engine) => {
  const emptyStore = { migrated: false };

  test('F18: eight at once make one schema, and none of them fails', () =>
    withTestStore(
      engine,
      async ({ url }) => {
        const cwd = makeFolder();
        const init = () => runCli(['init', '--store', url], { cwd });
        const results = await Promise.all(Array.from({ length: 8 }, init));
        for (const result of results) expect(result).toMatchObject({ code: 0, stderr: '' });
        expect(results.filter(({ stdout }) => stdout.includes('evstore.config.json: written'))).toHaveLength(1);
        expect(results.filter(({ stdout }) => stdout.includes('nothing to do'))).toHaveLength(7);
        expect(await runCli(['migrate', 'assert', '--store', url])).toMatchObject({ code: 0 });
      },
      emptyStore,
    ));

  test('a store without a schema is told how to get one', () =>
    withTestStore(
      engine,
      async ({ url }) => {
        const read = await runCli(['read', '--store', url]);
        expect(read).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('evstore init') });
        const asserted = await runCli(['migrate', 'assert', '--store', url]);
        expect(asserted).toMatchObject({ code: 1, stderr: expect.stringContaining('evstore migrate up') });
        const planned = await runCli(['migrate', '--dry-run', '--json', '--store', url]);
        expect(JSON.parse(planned.stdout)).toMatchObject({ from: 0, dryRun: true });
        const applied = await runCli(['migrate', '--json', '--store', url]);
        expect(JSON.parse(applied.stdout)).toEqual({ ...JSON.parse(planned.stdout), dryRun: false });
        const { stdout } = await runCli(['migrate', 'status', '--store', url]);
        expect(stdout).toMatch(/^version\tname\tstate\tappliedAt\n1\tevents\tapplied\t20/);
        expect(await runCli(['migrate', 'up', '--store', url])).toMatchObject({
          stdout: expect.stringContaining('nothing to do'),
        });
      },
      emptyStore,
    ));

  test('the printed statements are the schema', () =>
    withTestStore(
      engine,
      async ({ url, raw }) => {
        const { stdout } = await runCli(['migrate', 'sql', '--store', url]);
        await raw.query(`-- as printed\n${stdout}`);
        expect(await runCli(['migrate', 'assert', '--store', url])).toMatchObject({ code: 0 });
        expect(await runCli(['append', 'A-1', '--type', 'T', '--store', url])).toMatchObject({ code: 0 });
      },
      emptyStore,
    ));

  test('append --wait-for: 6 without such a projection, 7 when it is behind, 0 when it has passed', () =>
    withTestStore(engine, async ({ url, raw }) => {
      const append = (...argv: string[]) => runCli(['append', 'A-1', '--type', 'T', '--store', url, ...argv]);
      await raw.query("insert into subscription_checkpoints (subscription_id, last_position) values ('sums', 1)");
      const unknown = await append('--wait-for', 'summs');
      expect(unknown).toMatchObject({ code: 6, stdout: '', stderr: expect.stringContaining('Did you mean sums?') });
      expect(await append('--wait-for', 'sums')).toMatchObject({ code: 0 });
      const behind = await append('--wait-for', 'sums', '--timeout', '50ms');
      expect(behind).toMatchObject({ code: 7, stdout: expect.stringContaining('"version":2') });
    }));
});

test('streams: TSV in a pipe, a table on a terminal, a hint for an empty store', () =>
  withTestStore('sqlite', async ({ url }) => {
    const streams = (tty: boolean, ...argv: string[]) =>
      runCli(['streams', '--store', url, '--color', 'never', ...argv], { tty });
    const headings = 'streamId\tstreamType\tevents\tlastPosition\tfirstAt\tlastAt\n';
    expect(await streams(false)).toEqual({ code: 0, stdout: headings, stderr: 'no streams yet\n' });
    for (const stream of ['Order-2', 'User-1', 'Order-1', 'Order-2']) {
      await runCli(['append', stream, '--type', 'T', '--store', url]);
    }
    expect((await streams(false, '-q')).stdout).toBe('Order-1\nOrder-2\nUser-1\n');
    expect((await streams(false, '-q', '--sort', 'recent', '-n', '1')).stdout).toBe('Order-2\n');
    expect((await streams(false, '--category', 'Order')).stdout).toMatch(/\nOrder-2\tOrder\t2\t4\t20\S+Z\t20\S+Z\n$/);
    expect((await streams(true)).stdout).toMatch(
      /\nOrder-2 +Order +2 +4 +(just now|\d+ s ago) +(just now|\d+ s ago)\n/,
    );
    expect(JSON.parse((await streams(false, '--json')).stdout).streams).toHaveLength(3);
    expect(await streams(false, '--category', 'None')).toMatchObject({ code: 6 });
  }));

test('an import that nobody feeds asks for a file instead of waiting', async () => {
  const cwd = makeFolder();
  expect(await runCli(['import'], { cwd, tty: true })).toMatchObject({ code: 2 });
  expect(existsSync(join(cwd, 'evstore.db'))).toBe(false);
});
