/** Files of a project that are broken, or that do more than they should: what a command says, and what it still does. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { runProgram } from '../support/program.js';
import { connectSqlite } from '../support/raw.js';

const counts = (name: string) => `
  export const ${name} = {
    name: '${name}', version: 1,
    table: { columns: { id: 'text', events: 'integer' }, key: 'id' },
    on: { Counted: (row, event) => ({ id: event.streamId, events: (row?.events ?? 0) + 1 }) },
  };
`;

/** A project with a store of one event. */
async function makeProject(files: Readonly<Record<string, string>>) {
  const cwd = makeFolder();
  for (const folder of ['projections', 'sagas']) mkdirSync(join(cwd, folder));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const evstore = (...argv: string[]) => runCli(argv, { cwd });
  await evstore('init', '--no-config');
  await evstore('append', 'Counter-1', '--type', 'Counted');
  return { cwd, evstore };
}

test('a file that cannot be loaded does not stop a command about another projection', async () => {
  const { evstore } = await makeProject({
    'projections/good.mjs': counts('good'),
    'projections/bad.mjs': 'export const a = 1;\nconst b = {;\n',
    'projections/throws.mjs': "throw new Error('no luck');",
  });
  for (const argv of [
    ['run', 'good', '--once'],
    ['rebuild', 'good'],
    ['run', 'good', '--once', '--sagas'],
  ]) {
    const { code, stderr } = await evstore(...argv);
    expect({ argv, code }).toEqual({ argv, code: 0 });
    expect(stderr).toMatch(/^warning: .*bad\.mjs (cannot be compiled|threw while it was loaded): /m);
    expect(stderr).toMatch(/^warning: .*throws\.mjs threw while it was loaded: no luck/m);
  }
  expect((await evstore('run', '--once')).code, 'all projections are meant').not.toBe(0);
  const missing = await evstore('run', 'bda', '--once');
  expect(missing.code).not.toBe(0);
  expect(missing.stderr).toMatch(/^error: bda may be in a file that cannot be loaded/);
  expect(missing.stderr).toMatch(/^ *\S*bad\.mjs (cannot be compiled|threw while it was loaded): /m);
  expect(missing.stderr).toMatch(/^ *\S*throws\.mjs threw while it was loaded: /m);
});

test('a list shows a file that cannot be loaded as a row, and goes on', async () => {
  const { cwd, evstore } = await makeProject({
    'projections/good.mjs': counts('good'),
    'projections/old.mjs': counts('old'),
  });
  expect(await evstore('run', '--once')).toMatchObject({ code: 0 });
  rmSync(join(cwd, 'projections/old.mjs'));
  writeFileSync(join(cwd, 'projections/new.mjs'), "throw new Error('no luck');");
  const { code, stdout, stderr } = await evstore('projections', '--json');
  expect(code).toBe(9);
  expect(JSON.parse(stdout).projections).toMatchObject([
    { name: 'good', state: 'current', error: null },
    { name: 'old', state: 'unknown', file: null, error: null },
    {
      name: null,
      state: 'not loaded',
      file: expect.stringMatching(/new\.mjs$/),
      error: expect.stringContaining('no luck'),
    },
  ]);
  expect(JSON.parse(stderr).error.message).toContain('new.mjs threw while it was loaded');
  expect(await evstore('projections', '-q')).toMatchObject({ code: 9, stdout: 'good\nold\n' });
  const lag = await evstore('lag', '--projections', 'projections');
  expect(lag).toMatchObject({ code: 9, stderr: expect.stringContaining('new.mjs threw') });
  expect(lag.stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(['name', 'good', 'old', '']);
  expect(await evstore('lag', 'good', '--projections', 'projections')).toMatchObject({ code: 0 });
  expect(await evstore('lag', '--projections', 'projections', '-o', 'nagios')).toMatchObject({ code: 9, stdout: '' });
});

test('two files that define one projection stop work on that one only', async () => {
  const { evstore } = await makeProject({
    'projections/a.mjs': counts('twice'),
    'projections/b.mjs': counts('twice').replace('version: 1', 'version: 2'),
    'projections/c.mjs': counts('twice').replace('version: 1', 'version: 3'),
    'projections/good.mjs': counts('good'),
  });
  expect(await evstore('run', 'good', '--once')).toMatchObject({ code: 0 });
  const { code, stderr } = await evstore('run', 'twice', '--once');
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/projection twice is defined twice/),
  });
});

test('a name that is not found is told together with the files that hold no projection', async () => {
  const { evstore } = await makeProject({
    'projections/good.mjs': counts('good'),
    'projections/empty.mjs': '',
    'projections/factory.mjs': 'export default () => ({});',
  });
  const { code, stderr } = await evstore('run', 'other', '--once');
  expect({ code, stderr }).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('projections/empty.mjs, projections/factory.mjs export none.'),
  });
  expect(await evstore('projections')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('projections/empty.mjs, projections/factory.mjs export no projection.'),
  });
});

test('a syntax error in JavaScript is told with its place', async () => {
  const { cwd } = await makeProject({ 'projections/bad.js': 'export const a = 1;\nconst b = {;\n' });
  const program = runProgram('bin/evstore.ts', ['run', '--once'], { cwd });
  expect(await program.ended).toBe(2);
  expect(program.stderr).toMatch(/bad\.js cannot be compiled \(E_CONFIG\)\n.*\(line 2, column \d+\)\.\n/);
});

test.each([
  ['projections/wrong.mjs', 'export default { nam: "wrong", events: {} };', 'export default is not a valid projection'],
  [
    'projections/list.mjs',
    `${counts('a').replace('export', '')} export default [a];`,
    'export default is not a valid projection',
  ],
  ['sagas/wrong.mjs', 'export default { name: "wrong", steps: [] };', 'export default is not a saga'],
  ['sagas/named.mjs', 'export const wrong = { startOn: "Counted" };', 'export wrong is not a saga'],
  ['sagas/null.mjs', 'export default null;', 'export default is not a saga'],
  ['projections/null.mjs', 'export default null;', 'Its value is null'],
  ['projections/promise.mjs', 'export default Promise.resolve({});', 'Its value is a promise'],
  ['projections/named.mjs', 'export const wrong = { name: "wrong", version: 1 };', 'export wrong is not a valid'],
])('an export that is not what the folder is for is named: %s %s', async (file, text, message) => {
  const { evstore } = await makeProject({ 'projections/good.mjs': counts('good'), [file]: text });
  const { code, stderr } = await evstore('run', '--once', '--sagas');
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(`${file}: `) });
  expect(stderr).toContain(message);
});

test('a module of helpers is no projection, and none is missed', async () => {
  const { evstore } = await makeProject({
    'projections/good.mjs': counts('good'),
    'projections/helpers.mjs': 'export const rate = { eur: 1 };\nexport default function round(n) { return n; }\n',
    'projections/common.cjs': 'module.exports = { twice: (n) => 2 * n };\n',
  });
  expect(await evstore('run', '--once')).toMatchObject({ code: 0 });
});

test('an error that nothing caught is laid on the code that threw it', async () => {
  const late = (thrown: string) => `setTimeout(() => { Promise.reject(${thrown}); }, 1);
    ${counts('late').replace('on: {', 'on: { Slow: () => ({}),')}
    await new Promise((resolve) => setTimeout(resolve, 300));`;
  for (const [thrown, message, place] of [
    ["new Error('from user code')", 'from user code', /^It was thrown at \S+late\.mjs:1:\d+/m],
    ["'only text'", 'only text', /by code that threw no Error/],
  ] as const) {
    const { cwd } = await makeProject({ 'projections/late.mjs': late(thrown) });
    const program = runProgram('bin/evstore.ts', ['run', '--once'], { cwd });
    expect(await program.ended).toBe(9);
    expect(program.stderr).toContain(`error: code outside evstore threw, and nothing caught it`);
    expect(program.stderr).toContain(message);
    expect(program.stderr).toMatch(place);
    expect(program.stderr).not.toContain('bug in evstore');
  }
});

test('a run that failed before it knew its position names none', async () => {
  const { cwd, evstore } = await makeProject({ 'projections/good.mjs': counts('good') });
  const raw = connectSqlite(join(cwd, 'evstore.db'));
  await raw.query('create table good (id text)');
  await raw.close();
  const { code, stdout } = await evstore('run', '--once');
  expect({ code, stdout }).toEqual({ code: 2, stdout: 'good: 0 events applied, stopped\n' });
});

test.each([
  ['projections/typo.mjs', counts('typo').replace('version: 1,', "version: 1, categroy: 'Order',"), 'categroy'],
  [
    'sagas/typo.mjs',
    "export const saga = { kind: 'saga', name: 'typo', version: 1, startOn: 'Counted', steps: [{ kind: 'action', name: 'pay', action: () => {}, compensat: () => {} }] };",
    'compensat',
  ],
])('a misspelt property of a definition is refused, because it would be ignored: %s', async (file, text, property) => {
  const { evstore } = await makeProject({ [file]: text });
  const { code, stderr } = await evstore('run', '--once', '--sagas');
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`property ${property} is unknown`),
  });
});

test('process.exit in user code is an error that names it, and what other code does is kept', async () => {
  const { cwd } = await makeProject({
    'projections/good.mjs': counts('good'),
    'projections/user.mjs': counts('user').replace('(row, event) => (', '(row, event) => process.exit(0) ?? ('),
    'sagas/pay.mjs':
      "export const pay = { kind: 'saga', name: 'pay', version: 1, startOn: 'Counted', steps: [{ kind: 'action', name: 'a', retries: 0, action: () => process.exit(0) }] };",
  });
  const run = runProgram('bin/evstore.ts', ['run', '--once', '--sagas'], { cwd });
  expect(await run.ended).toBe(9);
  expect(run.stderr).toMatch(/^on\.Counted \(\S*user\.mjs:\d+\): Error: process\.exit\(0\) was called/m);
  expect(run.lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^good: at position/),
      expect.stringMatching(/^saga pay: .*1 failed/),
    ]),
  );
  writeFileSync(join(cwd, 'projections/user.mjs'), '\nprocess.exit(0);\n');
  const list = runProgram('bin/evstore.ts', ['projections'], { cwd });
  expect(await list.ended).toBe(9);
  expect(list.stderr).toMatch(/user\.mjs threw while it was loaded .*\nprocess\.exit\(0\) was called.*\(line 2\)/);
  expect(list.lines.some((line) => line.startsWith('good\tcurrent'))).toBe(true);
});

test.each([
  [
    'a handler',
    counts('user').replace('(row, event) => (', 'async () => { throw new Error("late"); }, Other: () => ('),
    'on.Counted',
  ],
  [
    'an upcaster',
    counts('user')
      .replace('on: {', "upcasters: [{ type: 'Counted', from: 1, to: 2, up: async (data) => data }], on: {")
      .replace('event.streamId', 'event.data.id'),
    'the upcaster of Counted from version 1 returned a promise',
  ],
])('%s that is async is refused, and its own error is not told a second time', async (_what, text, message) => {
  const { cwd } = await makeProject({ 'projections/user.mjs': text });
  const run = runProgram('bin/evstore.ts', ['run', '--once', '--on-error', 'park'], { cwd });
  expect(await run.ended, run.stderr).toBe(0);
  expect(run.stderr).toMatch(/^warning: user: parked Counted at position 1: /m);
  expect(run.stderr).toContain(message);
  expect(run.stderr).not.toContain('nothing caught it');
});

test('a create that is async is refused when it is loaded', async () => {
  const { evstore } = await makeProject({
    'projections/user.mjs':
      "export const user = { name: 'user', version: 1, tables: ['user'], create: async () => [], on: {} };",
  });
  expect(await evstore('run', '--once')).toMatchObject({
    code: 9,
    stderr: expect.stringContaining('create returns statements made with sql, not a promise: it cannot be async.'),
  });
});

test('a file that never finishes loading does not stop a command about another', async () => {
  const { cwd } = await makeProject({
    'projections/good.mjs': counts('good'),
    'projections/never.mjs': 'await new Promise(() => {});',
  });
  const run = runProgram('bin/evstore.ts', ['run', 'good', '--once'], { cwd });
  expect(await run.ended).toBe(0);
  expect(run.stderr).toMatch(/^warning: projections\/never\.mjs never finished loading: /m);
  const list = runProgram('bin/evstore.ts', ['projections'], { cwd });
  expect(await list.ended).toBe(70);
  expect(list.lines.some((line) => line.startsWith('good\tcurrent'))).toBe(true);
});

test('a promise that nothing can settle ends a command at once, by the name of the function', async () => {
  const { cwd } = await makeProject({
    'projections/search.mjs': `const hang = (part) => (process.env.HANG === part ? new Promise(() => {}) : 1);
      export const search = { name: 'search', version: 1, open: async () => ({ close: () => hang('close') }),
        write: () => hang('write'), promote: () => hang('promote'), count: () => hang('count'), drop: () => {} };`,
  });
  const run = async (HANG: string, ...argv: string[]) => {
    const program = runProgram('bin/evstore.ts', argv, { cwd, env: { ...process.env, HANG } });
    return { code: await program.ended, stderr: program.stderr };
  };
  for (const [part, ...argv] of [
    ['write', 'run', '--once'],
    ['promote', 'run', '--once'],
    ['count', 'rebuild', 'search'],
  ] as const) {
    const { code, stderr } = await run(part, ...argv);
    expect({ part, code }).toEqual({ part, code: 9 });
    expect(stderr).toContain(`${part} waits for a promise that nothing can settle any more`);
  }
  expect(await run('close', 'run', '--once'), 'the work is done').toMatchObject({ code: 0 });
});
