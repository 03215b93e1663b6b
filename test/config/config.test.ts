import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withDotenv } from '../../src/config/dotenv.js';
import { loadConfig } from '../../src/config/load-config.js';
import { makeFolder, runCli } from '../support/cli.js';

function makeProject(files: Readonly<Record<string, string>>): string {
  const folder = makeFolder();
  mkdirSync(join(folder, '.git'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** The store a command line in this folder means, as its error tells. */
async function chosenStore(cwd: string, argv: string[] = [], env: Record<string, string> = {}): Promise<string> {
  const { stderr } = await runCli(['streams', ...argv, '--json'], { cwd, env });
  const { message, why } = JSON.parse(stderr).error;
  return `${/[a-z]+\.db/.exec(message)?.[0]} by ${/comes from (.*)\.$/.exec(why)?.[1]?.replace(cwd, '')}`;
}

test('the flag wins over EVSTORE_URL, that over the config, that over DATABASE_URL', async () => {
  const cwd = makeProject({ 'evstore.config.json': '{"store":"sqlite:config.db"}' });
  const empty = makeProject({});
  const env = { EVSTORE_URL: 'sqlite:env.db', DATABASE_URL: 'sqlite:database.db' };
  expect(await chosenStore(cwd, ['--store', 'sqlite:flag.db'], env)).toBe('flag.db by --store');
  expect(await chosenStore(cwd, [], env)).toBe('env.db by EVSTORE_URL');
  expect(await chosenStore(cwd, [], { DATABASE_URL: 'sqlite:x.db' })).toBe('config.db by /evstore.config.json');
  expect(await chosenStore(empty, [], { DATABASE_URL: 'sqlite:database.db' })).toBe('database.db by DATABASE_URL');
  expect(await chosenStore(empty)).toBe('evstore.db by the default');
});

test('.env is read, the environment wins', async () => {
  const cwd = makeProject({ '.env': 'EVSTORE_URL="sqlite:dotenv.db" # comment\n' });
  expect(await chosenStore(cwd)).toBe('dotenv.db by EVSTORE_URL');
  expect(await chosenStore(cwd, [], { EVSTORE_URL: 'sqlite:real.db' })).toBe('real.db by EVSTORE_URL');
});

test.each([
  ['a byte order mark before the first name', '\uFEFFEVSTORE_URL=sqlite:dotenv.db\n', 'dotenv.db'],
  ['a comment after a value', 'EVSTORE_URL=sqlite:dotenv.db # not the old one\n', 'dotenv.db'],
  ['a # in quotes', 'EVSTORE_URL="sqlite:a#dotenv.db" # comment\n', 'a#dotenv.db'],
  [
    'single quotes, export and line ends of Windows',
    "# store\r\nexport EVSTORE_URL='sqlite:dotenv.db'\r\n",
    'dotenv.db',
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file.
  ['references to variables before it', 'A=dot\nB=${A}env\nEVSTORE_URL=sqlite:$B.db\n', 'dotenv.db'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file.
  ['a default for a variable that is not set', 'EVSTORE_URL=sqlite:${NAME:-dotenv}.db\n', 'dotenv.db'],
  ['an escaped dollar sign', "EVSTORE_URL='sqlite:\\$dotenv.db'\n", '$dotenv.db'],
])('.env may have %s', async (_what, text, file) => {
  const cwd = makeProject({ '.env': text });
  expect((await withDotenv([cwd], cwd, {})).EVSTORE_URL).toBe(`sqlite:${file}`);
});

test.each([
  ['a # without quotes', 'DATABASE_URL=postgres://u:p#w@h/db\n', 'has a # and no quotes'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file.
  ['a reference to no variable', 'EVSTORE_URL=sqlite:${N}.db\n', 'names the variable N, which is not set before it'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file.
  ['a reference to a later line', 'EVSTORE_URL=sqlite:${N}.db\nN=a\n', 'which is not set before it'],
  ['a dollar sign in a password', "PGPASSWORD='pa$word'\n", 'names the variable word, which is not set'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file.
  ['a variable with a dollar sign', "P='a\\$b'\nEVSTORE_URL=postgres://u:${P}@h/d\n", 'that of P, which has a $'],
])('.env with %s is refused: the value would be another store', async (_what, text, message) => {
  const cwd = makeProject({ '.env': text });
  const { code, stderr } = await runCli(['streams'], { cwd });
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  const real = { EVSTORE_URL: 'sqlite:real.db', DATABASE_URL: 'sqlite:real.db', PGPASSWORD: 'x' };
  expect(await chosenStore(cwd, [], real), 'where the environment wins').toBe('real.db by EVSTORE_URL');
});

test('the environment wins inside a value, too, and one file may name what the other sets', async () => {
  const cwd = makeProject({
    'evstore.config.json': '{}',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file.
    '.env': 'NAME=up\nEVSTORE_URL=sqlite:${NAME}.db\n',
  });
  const below = join(cwd, 'sub');
  mkdirSync(below);
  expect(await chosenStore(below, [], { NAME: 'real' })).toBe('real.db by EVSTORE_URL');
  writeFileSync(join(below, '.env'), 'NAME=down\n');
  expect(await chosenStore(below)).toBe('down.db by EVSTORE_URL');
});

test('a .env that cannot be read is told by what needs a store, and by nothing else', async () => {
  const cwd = makeProject({});
  symlinkSync('.env', join(cwd, '.env'));
  expect(await runCli(['streams'], { cwd })).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot read') });
  expect(await runCli(['completion', 'bash'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  expect(await runCli(['version'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  const utf16 = makeProject({ '.env': Buffer.from('EVSTORE_URL=sqlite:a.db\n', 'utf16le').toString('latin1') });
  expect(await runCli(['streams'], { cwd: utf16 })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('UTF-8'),
  });
});

test("the .env of the config's folder counts in a folder below, and its paths are its own", async () => {
  const cwd = makeProject({ 'evstore.config.json': '{}', '.env': 'EVSTORE_URL=sqlite:up.db\nEVSTORE_SCHEMA=a\n' });
  const below = join(cwd, 'sub');
  mkdirSync(below);
  expect(await runCli(['init'], { cwd: below })).toMatchObject({ code: 0 });
  expect(existsSync(join(cwd, 'up.db'))).toBe(true);
  writeFileSync(join(below, '.env'), 'EVSTORE_URL=sqlite:down.db\n');
  expect(await chosenStore(below)).toBe('down.db by EVSTORE_URL');
});

test.each([
  ['sqlite://up.db', 'write sqlite:up.db, or sqlite:///up.db'],
  ['sqlite:a%20b.db', 'percent-encoded'],
  ['sqlite:a.db?mode=ro', 'takes no parameters, and ?mode=ro is one'],
])('%s is refused, not taken for the name of a file', async (url, message) => {
  for (const [argv, env] of [
    [['streams', '--store', url], {}],
    [['init', '--no-config'], { EVSTORE_URL: url }],
  ] as const) {
    const cwd = makeProject({});
    expect(await runCli(argv, { cwd, env })).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(readdirSync(cwd)).toEqual(['.git']);
  }
});

test('blanks around a URL do not count, and a command to run next is quoted', async () => {
  const cwd = makeProject({});
  const { stderr } = await runCli(['streams', '--store', ' sqlite:my store.db '], { cwd });
  expect(stderr).toContain("next: evstore init --store 'sqlite:");
  expect(stderr).toContain("my store.db'\n");
});

test('a config is found from a folder below, and its paths are its own', async () => {
  const cwd = makeProject({ 'evstore.config.ts': "export default { store: 'sqlite:./here.db' as string };" });
  const below = join(cwd, 'a/b');
  mkdirSync(below, { recursive: true });
  expect(await runCli(['init'], { cwd: below })).toMatchObject({ code: 0 });
  expect(existsSync(join(cwd, 'here.db'))).toBe(true);
  expect(existsSync(join(below, 'evstore.config.json'))).toBe(false);
});

test('H21: a config is run only when it must be, and then it is said', async () => {
  const cwd = makeProject({
    'evstore.config.mjs': `import { writeFileSync } from 'node:fs';
      writeFileSync(new URL('ran', import.meta.url), '');
      export default { store: 'sqlite:config.db' };`,
  });
  await runCli(['streams', '--store', 'sqlite:none.db'], { cwd });
  await runCli(['streams'], { cwd, env: { EVSTORE_URL: 'sqlite:none.db' } });
  expect(existsSync(join(cwd, 'ran'))).toBe(false);
  expect((await runCli(['streams'], { cwd })).stderr).toContain('config: evstore.config.mjs');
  expect(existsSync(join(cwd, 'ran'))).toBe(true);
});

test('a config that is wrong says where', async () => {
  const cwd = makeProject({
    'broken.json': '{\n  "store": "x",\n}',
    'shape.json': '{"projections":["a",1]}',
    'typo.json': '{"stroe":"a"}',
    'throws.ts': '\n\nthrow new Error("no luck");',
    'syntax.ts': 'export default {;',
    'missing.ts': "import 'not-installed-anywhere'; export default {};",
  });
  for (const [name, code, text] of [
    ['broken.json', 'E_CONFIG', 'broken.json:3:1'],
    ['shape.json', 'E_CONFIG', "'projections' is not a string or an array of strings"],
    ['typo.json', 'E_CONFIG', "the key 'stroe' is unknown"],
    ['throws.ts', 'E_HANDLER', 'throws.ts threw'],
    ['syntax.ts', 'E_CONFIG', 'syntax.ts cannot be compiled'],
    ['missing.ts', 'E_CONFIG', 'missing.ts imports'],
  ] as const) {
    await expect(loadConfig(join(cwd, name))).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  }
  await expect(loadConfig(join(cwd, 'throws.ts'))).rejects.toMatchObject({ why: 'no luck (line 3).' });
  await expect(loadConfig(join(cwd, 'typo.json'))).rejects.toMatchObject({ why: 'Did you mean store?' });
});

test.each([
  [
    '{"store":1,"projectons":"p","roles":{}}',
    "'store' is not a string",
    "It is a number.\nAlso, the key 'projectons' is unknown. Did you mean projections?\nAlso, the key 'roles' is unknown. Known are: store, stores, schema, projections, sagas, aggregates, reactions.",
  ],
  ['{"store":""}', "'store' is not a string", 'It is an empty string.'],
  ['{"sagas":["a",null]}', "'sagas' is not a string or an array of strings", 'It is an array that holds null.'],
  [
    '["sqlite:a.db"]',
    'holds no config',
    'store, stores, schema, projections, sagas, aggregates, reactions. It is an array.',
  ],
  ['null', 'holds no config', 'It is null.'],
])('a config %s: every key that is wrong is named, with what it holds', async (json, message, why) => {
  const cwd = makeProject({ 'evstore.config.json': json });
  await expect(loadConfig(join(cwd, 'evstore.config.json'))).rejects.toMatchObject({
    code: 'E_CONFIG',
    message: expect.stringContaining(message),
    why: expect.stringContaining(why),
  });
});

test.each([
  ['export const config = {};', 'There is none.'],
  ['export default () => ({});', 'It is a function.'],
  ['export default Promise.resolve({});', 'It is a promise: write `export default await …`.'],
])('a config module that says %s is refused', async (text, why) => {
  const cwd = makeProject({ 'evstore.config.mjs': text });
  await expect(loadConfig(join(cwd, 'evstore.config.mjs'))).rejects.toMatchObject({
    message: expect.stringContaining('evstore.config.mjs holds no config'),
    why: expect.stringContaining(why),
  });
});

test.each([
  ['evstore.config.json', (globs: string) => `{ "projections": ${globs}, "sagas": ${globs} }`],
  ['evstore.config.mjs', (globs: string) => `export default { projections: ${globs}, sagas: ${globs} };`],
  [
    'evstore.config.ts',
    (globs: string) =>
      `import { defineConfig } from 'evstore'; export default defineConfig({ projections: ${globs}, sagas: ${globs} });`,
  ],
])('%s takes one glob, one folder, or many globs', async (name, config) => {
  for (const [globs, names] of [
    ['"models/o*.mjs"', ['orders', 'orders_saga']],
    ['"models"', ['bills', 'orders', 'bills_saga', 'orders_saga']],
    ['["models/b*.mjs", "models/orders.mjs"]', ['bills', 'orders', 'bills_saga', 'orders_saga']],
  ] as const) {
    const cwd = makeProject({ [name]: config(globs) });
    mkdirSync(join(cwd, 'models'));
    for (const each of ['orders', 'bills']) writeFileSync(join(cwd, `models/${each}.mjs`), codeOf(each));
    expect(await runCli(['init', '--no-config'], { cwd })).toMatchObject({ code: 0 });
    const { stdout } = await runCli(['run', '--once', '--sagas', '--json'], { cwd });
    const { projections, sagas } = JSON.parse(stdout);
    const ran = [...projections, ...sagas].map(({ name, saga }) => name ?? saga);
    expect(ran, globs).toEqual(names);
  }
});

function codeOf(name: string): string {
  return `export const projection = { name: '${name}', version: 1, table: { columns: { id: 'text' }, key: 'id' }, on: { A: () => ({}) } };
    export const saga = { kind: 'saga', name: '${name}_saga', version: 1, startOn: 'B', steps: [{ kind: 'action', name: 'a', action: () => {} }] };`;
}

test('init makes a config without the password, and never overwrites', async () => {
  const cwd = makeProject({});
  expect(await runCli(['init', '--dry-run'], { cwd })).toMatchObject({ code: 0 });
  expect(existsSync(join(cwd, 'evstore.db')) || existsSync(join(cwd, 'evstore.config.json'))).toBe(false);
  const first = await runCli(['init', '--json'], { cwd });
  expect(JSON.parse(first.stdout)).toMatchObject({ config: { created: true }, dryRun: false });
  const text = readFileSync(join(cwd, 'evstore.config.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    store: expect.stringMatching(/^sqlite:.*evstore\.db$/),
    projections: 'projections',
  });
  const second = await runCli(['init', '--json'], { cwd });
  expect(JSON.parse(second.stdout)).toMatchObject({ applied: [], config: { created: false } });
  expect(readFileSync(join(cwd, 'evstore.config.json'), 'utf8')).toBe(text);
  const printed = await runCli(['init', '--print-sql', '--store', 'postgres://nobody@127.0.0.1:1/none'], { cwd });
  expect(printed).toMatchObject({ code: 0, stdout: expect.stringContaining('create table') });
});

test('the schema comes with the store: flag, EVSTORE_SCHEMA, or the config that names the store', async () => {
  const cwd = makeProject({
    'evstore.config.json': '{"store":"postgres://nobody@127.0.0.1:1/x","schema":"from_config"}',
  });
  const schemaOf = async (argv: string[], env: Record<string, string> = {}) => {
    const { stdout } = await runCli(['migrate', 'sql', ...argv], { cwd, env });
    return /create schema if not exists "(\w+)"/.exec(stdout)?.[1];
  };
  const url = 'postgres://nobody@127.0.0.1:1/y';
  expect(await schemaOf([])).toBe('from_config');
  expect(await schemaOf([], { EVSTORE_SCHEMA: 'from_env' })).toBe('from_env');
  expect(await schemaOf(['--schema', 'from_flag'], { EVSTORE_SCHEMA: 'from_env' })).toBe('from_flag');
  expect(await schemaOf(['--store', url])).toBe('public');
  expect(await schemaOf([], { EVSTORE_URL: url })).toBe('public');
});
