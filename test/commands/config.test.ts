/** Settings and their sources, named stores, and the protection of a store. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliOptions, makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';

const secret = 'pa55word';

function makeProject(
  config: unknown,
  dotenv = '',
): (options: CliOptions, ...argv: string[]) => ReturnType<typeof runCli> {
  const cwd = makeFolder();
  writeFileSync(join(cwd, 'evstore.config.json'), JSON.stringify(config));
  if (dotenv !== '') writeFileSync(join(cwd, '.env'), dotenv);
  return (options, ...argv) => runCli(argv, { cwd, ...options });
}

test('every source of the store is listed, the winner marked, and no password is printed', async () => {
  const evstore = makeProject(
    { store: 'sqlite:a.db', schema: 'mine', stores: { prod: { url: `postgres://u:${secret}@h/x`, protected: true } } },
    `DATABASE_URL=postgres://u:${secret}@h/y\nEVSTORE_SCHEMA=theirs\n`,
  );
  const { code, stdout, stderr } = await evstore({}, 'config', 'show', '--sources', '--json', '--store', 'sqlite:b.db');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain(secret);
  const { settings, stores } = JSON.parse(stdout);
  const of = (name: string) =>
    settings
      .filter(({ setting }: { setting: string }) => setting === name)
      .map(({ source, wins }: { source: string; wins: boolean }) => `${source.replace(/.*\//, '')} ${wins}`);
  expect(of('store')).toEqual([
    '--store true',
    'evstore.config.json false',
    'DATABASE_URL in .env false',
    'the default false',
  ]);
  expect(of('schema')).toEqual(['EVSTORE_SCHEMA in .env true', 'evstore.config.json false', 'the default false']);
  expect(stores).toEqual([{ name: 'prod', url: 'postgres://u@h/x', schema: null, protected: true }]);
  const people = await evstore({ tty: true }, 'config');
  expect(people.stdout + people.stderr).not.toContain(secret);
  expect((await evstore({ env: { EVSTORE_URL: 'prod' } }, 'config', 'show', '--json')).stdout).toContain(
    '"name":"prod","protected":true',
  );
});

test("the config's schema is not that of a store that is given by its URL", async () => {
  const evstore = makeProject({ schema: 'mine' });
  const schema = async (...argv: string[]) =>
    JSON.parse((await evstore({}, 'config', 'show', '--json', ...argv)).stdout).settings[1].value;
  expect(await schema()).toBe('mine');
  expect(await schema('--store', 'sqlite:b.db')).toBe('public');
});

test('config path prints the file that applies, and runs none of it', async () => {
  const cwd = makeFolder();
  mkdirSync(join(cwd, '.git'));
  expect((await runCli(['config', 'path'], { cwd })).code).toBe(6);
  writeFileSync(join(cwd, 'evstore.config.mjs'), 'throw new Error("it ran");');
  mkdirSync(join(cwd, 'below'));
  const { code, stdout } = await runCli(['config', 'path'], { cwd: join(cwd, 'below') });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${join(cwd, 'evstore.config.mjs')}\n` });
});

test('a store is chosen by its name, and a wrong name is answered with the one that was meant', async () => {
  const evstore = makeProject({
    store: 'dev',
    stores: { dev: { url: 'sqlite:dev.db' }, prod: { url: 'sqlite:p.db' } },
  });
  const where = async (options: CliOptions, ...argv: string[]) =>
    JSON.parse((await evstore(options, 'config', 'show', '--json', ...argv)).stdout).store;
  expect(await where({})).toMatchObject({ name: 'dev', protected: false });
  expect(await where({}, '--store', 'prod')).toMatchObject({ name: 'prod' });
  expect(await where({ env: { EVSTORE_URL: 'prod' } })).toMatchObject({ name: 'prod' });
  const { code, stderr } = await evstore({}, 'streams', '--store', 'prd');
  expect(code).toBe(2);
  expect(stderr).toContain('Did you mean prod?');
  expect(stderr).toContain('evstore config show');
});

test.each(['produkcja-łódź', '生产环境', 'उत्पादन', 'staging.eu_2'])('the name of a store may be %s', async (name) => {
  const evstore = makeProject({ stores: { [name]: { url: 'sqlite:p.db', protected: true } } });
  const shown = await evstore({}, 'config', 'show', '--json', '--store', name);
  expect(JSON.parse(shown.stdout).store).toMatchObject({ name, protected: true });
  const { code, stderr } = await evstore({}, 'init', '--store', name);
  expect(code).toBe(8);
  expect(stderr).toContain(`--confirm ${name.includes('.') ? name : `'${name}'`}`);
  expect((await evstore({}, 'init', '--store', name, '--confirm', name)).code).toBe(0);
});

test.each([
  [{ stores: [] }, "'stores' is not an object"],
  [{ stores: { 'a b': { url: 'x' } } }, "'a b' cannot be the name of a store"],
  [{ stores: { 'sqlite:a': { url: 'x' } } }, "'sqlite:a' cannot be the name of a store"],
  [{ stores: { './a': { url: 'x' } } }, "'./a' cannot be the name of a store"],
  [{ stores: { '-a': { url: 'x' } } }, "'-a' cannot be the name of a store"],
  [{ stores: { 'a\u202eb': { url: 'x' } } }, 'cannot be the name of a store'],
  [{ stores: { a: {} } }, "'stores.a' has no url"],
  [{ stores: { a: { url: 'x', protectd: true } } }, 'Did you mean protected?'],
  [{ stores: { a: { url: 'x', protected: 'yes' } } }, "'stores.a.protected' is not true or false"],
])('named stores %j: what is wrong is named', async (config, message) => {
  const { code, stderr } = await makeProject(config)({}, 'streams');
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test('init makes no file of a protected store without its name', async () => {
  const cwd = makeFolder();
  const stores = { prod: { url: 'sqlite:prod.db', protected: true } };
  writeFileSync(join(cwd, 'evstore.config.json'), JSON.stringify({ stores }));
  expect((await runCli(['init', '--store', 'prod'], { cwd })).code).toBe(8);
  expect(existsSync(join(cwd, 'prod.db'))).toBe(false);
  expect((await runCli(['init', '--store', 'prod', '--confirm', 'prod'], { cwd })).code).toBe(0);
});

forEachEngine((engine) => {
  test('a protected store is read freely, and written only with its name', () =>
    withTestStore(engine, async ({ store, url }) => {
      await append(store, 'Order-1', makeEvents(2));
      const evstore = makeProject({ store: 'prod', stores: { prod: { url, protected: true } } });
      const run = (options: CliOptions, ...flags: string[]) =>
        evstore(options, 'append', 'Order-1', '--type', 'A', '--data', '{}', ...flags);
      const size = async () => (await store.log.head()).head;
      for (const command of ['read', 'streams', 'lag', 'types', 'verify', 'checkpoints']) {
        expect((await evstore({}, command)).code).toBe(0);
      }
      for (const flags of [[], ['--yes'], ['--confirm', 'prd'], ['--confirm', 'prd', '--yes']]) {
        const { code, stderr } = await run({}, ...flags);
        expect(code).toBe(8);
        expect(stderr).toContain('the store prod is protected');
      }
      expect((await run({})).stderr).toContain('--confirm prod');
      const wrong = JSON.parse((await run({}, '--json', '--confirm', 'prd')).stderr).error;
      expect(wrong.next).toBe("evstore append Order-1 --type A --data '{}' --json --confirm prod");
      expect((await run({ tty: true, answer: 'yes' })).code).toBe(8);
      expect(await size()).toBe(2);
      expect((await run({ tty: true, answer: 'prod' })).code).toBe(0);
      expect((await run({}, '--confirm', 'prod')).code).toBe(0);
      expect(await size()).toBe(4);
    }));

  test('each command that writes asks for the name of a protected store', () =>
    withTestStore(engine, async ({ store, url, raw }) => {
      await append(store, 'Order-1', makeEvents(2));
      await raw.query("insert into subscription_checkpoints (subscription_id) values ('mailer')");
      const evstore = makeProject({ store: 'prod', stores: { prod: { url, protected: true } } });
      const line = '{"streamId":"A-1","type":"A","data":{}}\n';
      const writers: readonly (readonly [string[], CliOptions?])[] = [
        [['import', '-', '--source', 's'], { stdin: line }],
        [['checkpoints', 'set', 'mailer', '--to-head', '--skip-events', '--execute']],
        [['checkpoints', 'delete', 'mailer', '--execute']],
      ];
      for (const [argv, options = {}] of writers) {
        const { code, stderr } = await evstore(options, ...argv, '--yes');
        expect({ argv, code, stderr }).toEqual({ argv, code: 8, stderr: expect.stringContaining('is protected') });
      }
      expect((await store.log.head()).head).toBe(2);
      expect(await store.projections.checkpoints()).toMatchObject([{ position: 0 }]);
    }));
});
