/** Files of a project that are broken, or that do more than they should: what a command says, and what it still does. */
import { mkdirSync, writeFileSync } from 'node:fs';
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
  expect(await evstore('run', 'bda', '--once'), 'it may be in the bad file').toMatchObject({
    stderr: expect.stringMatching(/^error: .*bad\.mjs/),
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
  ['sagas/wrong.mjs', 'export default { name: "wrong", steps: [] };', 'the default export is not a saga'],
])('a default export that is not what the folder is for is named: %s %s', async (file, text, message) => {
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
