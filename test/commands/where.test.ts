/** `--where`, `--causation-id` and `--fields` of read, tail and export. */
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

forEachEngine((engine) => {
  function withCli(body: (cli: (...argv: string[]) => ReturnType<typeof runCli>) => Promise<void>): Promise<void> {
    return withTestStore(engine, async ({ url }) => {
      const cli = (...argv: string[]) => runCli([...argv, '--store', url]);
      for (const [stream, data] of [
        ['Zamówienie-1', '{"total":12.50,"city":"Łódź"}'],
        ['Order-2', '{"total":9007199254740993,"city":"Bonn","items":[{"sku":"a\\tb"}]}'],
        ['Order-3', '{"total":7}'],
      ] as const) {
        await cli('append', stream, '--type', 'OrderPlaced', '--data', data, '--causation-id', `c-${stream}`);
      }
      await body(cli);
    });
  }

  test('read, tail and export print the events for which a condition holds', () =>
    withCli(async (cli) => {
      for (const command of [['read'], ['tail', '--no-follow'], ['export']]) {
        const { stdout } = await cli(
          ...command,
          '--where',
          'data.total > 9007199254740992 or data.city like "Łó%"',
          '--json',
        );
        expect(
          stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line).streamId),
        ).toEqual(['Zamówienie-1', 'Order-2']);
      }
      expect(await cli('read', '--causation-id', 'c-Order-3', '-q')).toMatchObject({ code: 0, stdout: /^.{36}\n$/ });
      expect(await cli('read', '--where', 'data.total = 8')).toMatchObject({ code: 6, stdout: '' });
    }));

  test('halves of surrogate pairs, which SQL can write, compare in the same way on both engines', () =>
    withTestStore(engine, async ({ url, raw }) => {
      for (const [index, text] of ['z', '\\ud800', '\\ud83d\\ude00', '\\udfff', '\\uffff'].entries()) {
        await raw.query(
          `insert into events (stream_id, event_type, event_data, version)
           values ('Raw-1', 'Raw', '{"a":"${text}"}', ${index + 1})`,
        );
      }
      const versions = async (condition: string) => {
        const argv = ['read', '--where', condition, '--fields', 'version', '-o', 'tsv', '--store', url];
        return (await runCli(argv)).stdout.trim().split('\n').slice(1).map(Number);
      };
      expect(await versions("data.a > 'z'")).toEqual([2, 3, 4, 5]);
      expect(await versions("data.a < '\u{1f600}'")).toEqual([1, 2, 5]);
      expect(await versions("data.a >= '\u{1f600}'")).toEqual([3, 4]);
    }));

  test('a mistake in a condition is marked', () =>
    withCli(async (cli) => {
      const { code, stderr } = await cli('read', '--where', 'data.city = Bonn');
      expect(code).toBe(2);
      expect(stderr).toContain("--where: expected a number, a 'text', true, false or null: a text is written 'Bonn'");
      expect(stderr).toMatch(/\n {2}data\.city = Bonn\n {14}\^\n/);
    }));

  test('--fields prints the values named, with every digit', () =>
    withCli(async (cli) => {
      const fields = ['--fields', 'streamId,data.total,data.items[0].sku'];
      expect((await cli('read', ...fields)).stdout).toBe(
        '{"streamId":"Zamówienie-1","data.total":12.50}\n' +
          '{"streamId":"Order-2","data.total":9007199254740993,"data.items[0].sku":"a\\tb"}\n' +
          '{"streamId":"Order-3","data.total":7}\n',
      );
      expect((await cli('read', ...fields, '-o', 'tsv')).stdout).toBe(
        'streamId\tdata.total\tdata.items[0].sku\n' +
          'Zamówienie-1\t12.50\t\nOrder-2\t9007199254740993\ta\\tb\nOrder-3\t7\t\n',
      );
      expect((await cli('read', ...fields, '-o', 'table', '-n', '1')).stdout).toBe('Zamówienie-1  12.50  -\n');
      expect(await cli('read', '--fields', 'total')).toMatchObject({ code: 2, stderr: /did you mean data\.total/ });
    }));
});
