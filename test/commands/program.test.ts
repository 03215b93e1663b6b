import { expect, test } from 'vitest';
import { catalog } from '../../commands/catalog.js';
import { sharedOptions } from '../../commands/options/shared-options.js';
import { completeCommand, completeCommands } from '../../commands/program/follow-up.js';
import { loaders } from '../../commands/program/loaders.js';
import { makeFolder, runCli } from '../support/cli.js';

test('without a command: short help on stdout, exit 0', async () => {
  const { code, stdout, stderr } = await runCli([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const name of Object.keys(catalog)) expect(stdout).toContain(`\n  ${name} `);
});

test('slips of the pen are exit 2, with what was probably meant', async () => {
  for (const [argv, meant] of [
    [['raed'], 'Did you mean read?'],
    [['read', '--lmit', '3'], 'Did you mean --limit?'],
    [['migrate', 'stauts'], 'Did you mean status?'],
    [['read', '-n', 'x'], 'whole number'],
    [['read', '--color', 'blue'], 'not one of auto, always, never'],
    [['read', '--from-version', '2'], 'need a stream'],
    [['append'], 'missing required argument'],
    [['export', '--output', 'blue'], "error: --output: 'blue' is not one of"],
    [['run', '--partition', '5/4'], "--partition: '5/4' is not a part"],
    [['--schema', 'shop', 'rebuild', '--verify', 'some'], 'next: evstore rebuild --help'],
    [['append', 'Order-1', '--type', 'A', '--projections', 'x.ts'], '--projections needs --inline'],
  ] as const) {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ argv, code, stdout }).toEqual({ argv, code: 2, stdout: '' });
    expect(stderr).toContain(meant);
  }
});

test('an option with one value is refused when it is given twice: no command drops the first one silently', async () => {
  const lists = ['--category', '--type', '--events', '--key', '--fields', '--steps', '--for', '--ignore'];
  const commands = await Promise.all(Object.values(loaders).map(async (load) => (await load()).command));
  const leaves = commands.flatMap((command) => [command, ...(command.subcommands ?? [])]);
  const options = leaves.flatMap((leaf) => [...leaf.options, ...sharedOptions(leaf)]);
  const single = options.filter(({ long, required, variadic }) => required && !variadic && !lists.includes(long ?? ''));
  expect(single.length).toBeGreaterThan(100);
  for (const { long, parseArg } of single)
    expect(() => parseArg?.('1', '1' as never)).toThrow(`${long} was given twice`);
  const { code, stderr } = await runCli(['read', '-n', '3', '--limit=4']);
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error: --limit was given twice'),
  });
});

test('help COMMAND is COMMAND --help', async () => {
  for (const words of [[], ['read'], ['checkpoints', 'set']]) {
    expect(await runCli(['help', ...words])).toEqual(await runCli([...words, '--help']));
  }
  expect(await runCli(['help', 'raed'])).toMatchObject({ code: 2, stdout: '' });
});

test('errors are one JSON object with --json, also where the command line is what is wrong', async () => {
  const { stderr } = await runCli(['read', '--lmit', '--json']);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'E_USAGE', why: 'Did you mean --limit?' } });
});

test('shared flags may stand before the command, and the later one wins', async () => {
  const cwd = makeFolder();
  const a = ['--store', `sqlite:${cwd}/a.db`];
  const b = ['--store', `sqlite:${cwd}/b.db`];
  expect(await runCli([...a, '-q', 'init', '--no-config'])).toMatchObject({ code: 0 });
  expect(await runCli([...b, 'streams', ...a])).toMatchObject({ code: 0 });
  expect(await runCli([...a, 'migrate', 'status', '-q'])).toMatchObject({ code: 0 });
  expect(await runCli([...a, 'streams', ...b])).toMatchObject({ code: 2 });
});

test('the command to run next is for the store that was named', async () => {
  const cwd = makeFolder();
  const store = `sqlite:${cwd}/a b.db`;
  await runCli(['init', '--no-config', '--store', store]);
  const { stderr } = await runCli(['read', 'Order-1', '--store', store]);
  expect(stderr).toContain(`next: evstore streams --store '${store}'\n`);
  const { stdout } = await runCli(['streams', '--store', store, '--json']);
  expect(JSON.parse(stdout)).toEqual({ streams: [] });
  const named = JSON.parse((await runCli(['read', 'Order-1', `--store=${store}`, '--json'])).stderr);
  expect(named.error.next).toBe(`evstore streams --store '${store}'`);
});

test('evstore version is evstore --version, and tail -f follows as it does without', async () => {
  const { stdout } = await runCli(['--version']);
  expect(await runCli(['version'])).toEqual({ code: 0, stdout, stderr: '' });
  expect(JSON.parse((await runCli(['version', '--json'])).stdout)).toEqual({ version: stdout.trim() });
  const store = `sqlite:${makeFolder()}/a.db`;
  await runCli(['init', '--no-config', '--store', store]);
  expect(await runCli(['tail', '-f', '--until-idle', '1ms', '--store', store])).toMatchObject({ code: 0, stderr: '' });
});

test('no password is ever printed', async () => {
  const url = 'postgres://ada:p%40ss:w/ord@127.0.0.1:1/none?password=other-secret';
  for (const argv of [['read'], ['read', '--debug'], ['read', '--json', '--debug'], ['init', '--no-config']]) {
    const { code, stdout, stderr } = await runCli([...argv, '--store', url], { env: { PGPASSWORD: 'third-secret' } });
    expect(code).toBeGreaterThan(0);
    expect(stdout + stderr).not.toMatch(/p%40ss|p@ss|w\/ord|other-secret|third-secret/);
  }
});

test('each command is listed under its own name', async () => {
  for (const [name, load] of Object.entries(loaders)) expect((await load()).command.usage.split(' ')[0]).toBe(name);
});

test('a hint names the store of the command that gave it, and npx where that ran it', async () => {
  const cwd = makeFolder();
  const store = ['--store', `sqlite:${cwd}/my store.db`];
  await runCli([...store, 'init', '--no-config']);
  const env = { npm_command: 'exec' };
  const { stderr } = await runCli(['projections', ...store], { cwd, env });
  expect(stderr).toContain(`: npx evstore scaffold projection NAME --store 'sqlite:${cwd}/my store.db'`);
  const { stderr: error } = await runCli(['read', 'Order-1', ...store], { cwd, env });
  expect(error).toContain(`next: npx evstore streams --store 'sqlite:${cwd}/my store.db'`);
});

test('the store is named in each command of a hint, also in explanations and in commands joined by &&', () => {
  const typed = { argv: ['read', '--store', 'sqlite:a b.db'], env: {} };
  const store = "--store 'sqlite:a b.db'";
  expect(completeCommand("evstore checkpoints reset 'a;b' --execute && evstore rebuild a", typed)).toBe(
    `evstore checkpoints reset 'a;b' --execute ${store} && evstore rebuild a ${store}`,
  );
  expect(completeCommands('swap it in with: evstore swap a, or drop it with: evstore abort a.', typed)).toBe(
    `swap it in with: evstore swap a ${store}, or drop it with: evstore abort a ${store}.`,
  );
  expect(completeCommands("see: evstore parked retry a --stream 'b, c (1); d'", typed)).toBe(
    `see: evstore parked retry a --stream 'b, c (1); d' ${store}`,
  );
  expect(completeCommand("jq -c '.[] | .a' a.json | evstore import", typed)).toBe(
    `jq -c '.[] | .a' a.json | evstore import ${store}`,
  );
  expect(completeCommand("evstore read 'a && b'", typed)).toBe(`evstore read 'a && b' ${store}`);
  expect(completeCommands('read: evstore explain E_BUG', typed)).toBe('read: evstore explain E_BUG');
});
