import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

const id = '6f0c1f4e-7f1f-4f6e-9d53-0a4b1c2d3e4f';

forEachEngine((engine) => {
  function withCli(body: (cli: (...argv: string[]) => ReturnType<typeof runCli>) => Promise<void>): Promise<void> {
    return withTestStore(engine, ({ url }) => body((...argv) => runCli([...argv, '--store', url])));
  }

  test('a payload comes back digit by digit', () =>
    withCli(async (cli) => {
      const data = '{"n":12345678901234567890,"price":1.10,"huge":1e400}';
      expect(await cli('append', 'Order-1', '--type', 'OrderPlaced', '--data', data)).toMatchObject({ code: 0 });
      expect(await cli('read', 'Order-1', '-o', 'data')).toEqual({ code: 0, stdout: `${data}\n`, stderr: '' });
      const file = join(makeFolder(), 'data.json');
      writeFileSync(file, `${data}\n`);
      await cli('append', 'File-1', '--type', 'OrderPlaced', '--data', `@${file}`);
      expect((await cli('read', 'File-1', '-o', 'data')).stdout).toBe(`${data}\n`);
      const { stdout } = await cli('read');
      expect(stdout).toMatch(/^\{"globalPosition":1,"streamId":"Order-1","version":1,"type":"OrderPlaced",/);
      expect(stdout).toContain(`"data":${data},"metadata":{},"streamType":"Order","createdAt":"20`);
    }));

  test('a filter that names what does not exist says so, with what was probably meant', () =>
    withCli(async (cli) => {
      await cli('append', 'Permit-1', '--type', 'ConfirmationOfReceipt', '--data', '{"total":1}');
      const meant = 'no event has the type Confirmation; did you mean ConfirmationOfReceipt?';
      expect(await cli('read', '--type', 'Confirmation')).toMatchObject({
        code: 6,
        stderr: expect.stringContaining(meant),
      });
      const where = await cli('read', '--where', "type in ('Confirmation', 'Nope') and data.total = 1");
      expect(where).toMatchObject({ code: 6, stderr: expect.stringContaining(meant) });
      expect(where.stderr).toContain('no event has the type Nope; see: evstore types');
      const category = 'no stream is in the category Permits; did you mean Permit?';
      for (const command of ['read', 'streams']) {
        expect((await cli(command, '--category', 'Permits')).stderr).toContain(category);
      }
      const fields = await cli('read', '--fields', 'streamId,data.nosuch');
      expect(fields).toMatchObject({ code: 0, stdout: '{"streamId":"Permit-1"}\n' });
      expect(fields.stderr).toBe('no event that was printed has data.nosuch\n');
      expect((await cli('read', '--fields', 'data.total')).stderr).toBe('');
    }));

  // The clock of another process cannot be replaced.
  test.skipIf(process.env.EVSTORE_TEST_PROGRAM === 'packed')(
    'a day is one of UTC, which is said where the local clock shows other times',
    () =>
      withTestStore(engine, async ({ url }) => {
        const cli = (...argv: string[]) => runCli([...argv, '--store', url], { tty: true });
        await cli('append', 'Order-1', '--type', 'OrderPlaced', '--data', '{}');
        const day = new Date().toISOString().slice(0, 10);
        const offset = vi.spyOn(Date.prototype, 'getTimezoneOffset').mockReturnValue(-120);
        const note = `${day} is the day in UTC`;
        expect((await cli('read', '--on', day)).stderr).toContain(note);
        expect((await cli('read', '--on', day, '--times', 'iso')).stderr).not.toContain(note);
        offset.mockReturnValue(0);
        expect((await cli('read', '--on', day)).stderr).not.toContain(note);
        offset.mockRestore();
      }),
  );

  test('streams -q prints a hostile name escaped on a terminal, and as it is to a program', () =>
    withTestStore(engine, async ({ url }) => {
      const name = 'A\u001b[2J\u200b';
      await runCli(['append', name, '--type', 'T', '--store', url]);
      const list = async (tty: boolean) => (await runCli(['streams', '-q', '--store', url], { tty })).stdout;
      expect(await list(true)).toBe('A\\u{1b}[2J\\u{200b}\n');
      expect(await list(false)).toBe(`${name}\n`);
    }));

  test('several categories and types count, given with commas or again', () =>
    withCli(async (cli) => {
      for (const [stream, type] of [
        ['A-1', 'T'],
        ['B', 'U'],
        ['C-1', 'T'],
        ['AB-1', 'T'],
      ] as const) {
        await cli('append', stream, '--type', type);
      }
      for (const command of [['read'], ['tail', '--no-follow'], ['export']]) {
        const ids = async (...flags: string[]) => {
          const { stdout } = await cli(...command, ...flags, '--json');
          return stdout
            .trimEnd()
            .split('\n')
            .flatMap((line) => (line === '' ? [] : JSON.parse(line).streamId));
        };
        expect(await ids('--category', 'A', '--category', 'B')).toEqual(['A-1', 'B']);
        expect(await ids('--category', 'A,B', '--category', 'C')).toEqual(['A-1', 'B', 'C-1']);
        expect(await ids('--category', 'A', '--category', 'B', '--type', 'T')).toEqual(['A-1']);
        expect(await ids('--type', 'T', '--type', 'U')).toEqual(['A-1', 'B', 'C-1', 'AB-1']);
      }
    }));

  test('a retry with the same id writes nothing', () =>
    withCli(async (cli) => {
      const append = () => cli('append', 'Order-1', '--type', 'A', '--id', id, '--expected-version', 'none', '--json');
      const [first, second] = [JSON.parse((await append()).stdout), JSON.parse((await append()).stdout)];
      expect(first).toMatchObject({
        streamId: 'Order-1',
        version: 1,
        deduplicated: false,
        events: [{ id, version: 1 }],
      });
      expect(second).toEqual({ ...first, deduplicated: true });
    }));

  test('a wrong expected version is exit 4, with both versions', () =>
    withCli(async (cli) => {
      await cli('append', 'Order-1', '--type', 'A');
      const { code, stdout, stderr } = await cli(
        'append',
        'Order-1',
        '--type',
        'B',
        '--expected-version',
        '7',
        '--json',
      );
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(JSON.parse(stderr).error).toMatchObject({
        code: 'E_VERSION_CONFLICT',
        next: expect.stringContaining('evstore read Order-1'),
        details: { expected: 7, actual: 1 },
      });
    }));

  test('a batch is all or nothing, and correlation goes where there is none', () =>
    withCli(async (cli) => {
      const folder = makeFolder();
      const file = join(folder, 'batch.ndjson');
      writeFileSync(file, '\uFEFF{"type":"A","data":{"n":1.0}}\r\n\r\n{"type":"B","metadata":{"correlationId":"own"}}');
      const appended = await cli('append', 'Order-1', '--from', file, '--correlation-id', 'c-1', '--causation-id', 'x');
      expect(appended).toMatchObject({ code: 0 });
      const { stdout } = await cli('read', 'Order-1');
      const metadata = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).metadata);
      expect(metadata).toEqual([
        { correlationId: 'c-1', causationId: 'x' },
        { correlationId: 'own', causationId: 'x' },
      ]);
      expect(stdout).toContain('"data":{"n":1.0}');
      writeFileSync(file, '{"type":"C"}\n{"type":""}\n');
      expect(await cli('append', 'Order-1', '--from', file)).toMatchObject({ code: 2 });
      expect((await cli('read', 'Order-1', '-q')).stdout.trimEnd().split('\n')).toHaveLength(2);
    }));

  test('filters, ranges and directions', () =>
    withCli(async (cli) => {
      for (const [stream, type] of [
        ['Order-1', 'A'],
        ['User-1', 'B'],
        ['Order-2', 'A'],
        ['Order-1', 'C'],
      ] as const) {
        await cli('append', stream, '--type', type);
      }
      const types = async (...argv: string[]) => {
        const { stdout } = await cli('read', ...argv);
        return stdout
          .split('\n')
          .flatMap((line) => (line === '' ? [] : [JSON.parse(line).type]))
          .join('');
      };
      expect(await types()).toBe('ABAC');
      expect(await types('--backwards', '-n', '2')).toBe('CA');
      expect(await types('--category', 'Order')).toBe('AAC');
      expect(await types('--type', 'B,C')).toBe('BC');
      expect(await types('Order-1', '--from-version', '2')).toBe('C');
      expect(await types('Order-1', '--to-version', '1')).toBe('A');
      expect(await types('--since', '1h')).toBe('ABAC');
      expect(await types('--until', '1h')).toBe('');
      expect(await cli('read', '--type', 'None')).toMatchObject({ code: 6, stdout: '' });
    }));

  test('--on reads the events of a day in UTC', () =>
    withCli(async (cli) => {
      const file = join(makeFolder(), 'days.ndjson');
      const typesOf = async (...argv: string[]) =>
        (await cli('read', ...argv)).stdout
          .split('\n')
          .flatMap((each) => (each === '' ? [] : JSON.parse(each).type))
          .join('');
      const line = (time: string, type: string) =>
        JSON.stringify({ streamId: 'Day-1', type, data: {}, createdAt: `2026-01-0${time}` });
      const days = [line('4T23:59:59.999999Z', 'P'), line('5T00:00:00Z', 'Q'), line('5T23:59:59.999999Z', 'R')];
      const all = [...days, line('6T00:00:00Z', 'S')].join('\n');
      writeFileSync(file, all);
      expect((await cli('import', file)).code).toBe(0);
      expect(await typesOf('--on', '2026-01-05')).toBe('QR');
      expect(await typesOf('Day-1', '--on', '2026-01-05')).toBe('QR');
      expect((await cli('tail', '--no-follow', '--on', '2026-01-05', '-q')).stdout.trim().split('\n')).toHaveLength(2);
      expect((await cli('export', '--on', '2026-01-05')).stdout.trim().split('\n')).toHaveLength(2);
      expect(await cli('read', '--on', '2026-02-30')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--on: '2026-02-30' is not a day"),
      });
      expect(await cli('read', '--on', '2026-01-05', '--since', '1h')).toMatchObject({ code: 2 });
    }));

  test('a stream that does not exist is exit 6, with the one that was meant', () =>
    withCli(async (cli) => {
      await cli('append', 'Order-17', '--type', 'A');
      const { code, stderr } = await cli('read', 'Ordr-17');
      expect(code).toBe(6);
      expect(stderr).toContain('Did you mean Order-17?');
      const { events } = JSON.parse((await cli('append', 'Order-42', '--type', 'A', '--json')).stdout);
      for (const [name, next] of [
        ['Order', 'evstore read --category Order'],
        ['Order-4', 'evstore streams --prefix Order-4'],
        ['Order-43', 'evstore streams --prefix Order-'],
        [events[0].id, `evstore show ${events[0].id}`],
        ['nothing-like-it', 'evstore streams'],
      ] as const) {
        const unknown = await cli('read', name);
        expect(unknown, name).toMatchObject({ code: 6, stdout: '' });
        expect(unknown.stderr).toContain(`next: ${next}`);
      }
      expect(await cli('streams', '--prefix', 'Order-4', '-q')).toMatchObject({ code: 0, stdout: 'Order-42\n' });
      expect(await cli('streams', '--prefix', 'order')).toMatchObject({ code: 6 });
      expect(await cli('streams', '--prefix', 'O', '--category', 'Order')).toMatchObject({ code: 2 });
    }));

  test('a terminal shows text, and says when there is more', () =>
    withTestStore(engine, async ({ url, store }) => {
      const line = (n: number) => `{"type":"Counted","data":{"n":${n}}}`;
      const stdin = Array.from({ length: 101 }, (_, index) => line(index)).join('\n');
      await runCli(['append', 'Count-1', '--from', '-', '--store', url], { stdin });
      expect((await store.log.head()).safeHead).toBe(101);
      const { stdout, stderr } = await runCli(['read', '--store', url, '--color', 'never'], { tty: true });
      expect(stdout.split('\n')[0]).toMatch(/^[\d: -]+ #1 {2}Count-1 +1 {2}Counted {2}\{n: 0\}$/);
      expect(stdout.match(/Counted/g)).toHaveLength(100);
      expect(stderr).toContain('-n N shows more');
      expect((await runCli(['read', '--store', url], {})).stdout.match(/Counted/g)).toHaveLength(101);
    }));

  test('what a stream is called cannot act on a terminal', () =>
    withTestStore(engine, async ({ url }) => {
      const evil = 'Order-\u001b[2J\u202e';
      await runCli(['append', evil, '--type', 'A\u009b', '--data', '{"x":"\u202e\u007f"}', '--store', url]);
      for (const argv of [['read'], ['read', '-o', 'tsv'], ['streams'], ['streams', '-o', 'table']]) {
        for (const tty of [true, false]) {
          const { stdout } = await runCli([...argv, '--store', url, '--color', 'never'], { tty });
          expect(stdout).toContain('Order-');
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          expect(stdout).not.toMatch(/[\u001b\u007f-\u009f\u202e]/);
        }
      }
      const { stdout } = await runCli(['read', '--store', url]);
      expect(JSON.parse(stdout)).toMatchObject({ streamId: evil, type: 'A\u009b', data: { x: '\u202e\u007f' } });
    }));
});

test('what cannot be stored is refused before any connection', async () => {
  const store = ['--store', 'postgres://nobody:geheim@127.0.0.1:1/none'];
  const append = (...argv: string[]) => runCli(['append', 'Order-1', '--type', 'A', ...argv, ...store]);
  expect(await append('--data', '{"a":1,"a":2}')).toMatchObject({ code: 2, stderr: expect.stringContaining('twice') });
  expect(await append('--data', '{')).toMatchObject({ code: 2, stderr: expect.stringContaining('column 2') });
  expect(await append('--metadata', '[]')).toMatchObject({ code: 2 });
  const unreachable = await append();
  expect(unreachable).toMatchObject({ code: 3, stderr: expect.stringContaining('--store') });
  expect(unreachable.stderr).not.toContain('geheim');
});

test('bytes that are not UTF-8 are named by line and offset', async () => {
  const stdin = Buffer.concat([Buffer.from('{"type":"A"}\n{"type":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
  const { code, stderr } = await runCli(['append', 'Order-1', '--from', '-', '--dry-run'], { stdin });
  expect(code).toBe(2);
  expect(stderr).toContain('stdin line 2 is not UTF-8');
  expect(stderr).toContain('0xff at offset 22');
});

test('a dry run opens no store', async () => {
  const cwd = makeFolder();
  const { code, stdout } = await runCli(['append', 'Order-1', '--type', 'A', '--dry-run', '--json'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ streamId: 'Order-1', events: [{ id: expect.any(String) }], dryRun: true });
  expect(await runCli(['read'], { cwd })).toMatchObject({ code: 2, stdout: '' });
});
