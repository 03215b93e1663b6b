/** How the packed program ends: disks that are full, user code that does not end, prints or hangs, files of all kinds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PackedPackage, packPackage } from '../support/package.js';

// A program that never ends is what some of these cases are about.
vi.setConfig({ testTimeout: 60_000 });

const count = 20_000;
let packed: PackedPackage;
let url: string;

beforeAll(async () => {
  packed = await packPackage();
  url = `sqlite:${packed.folder}/store.db`;
  const lines = Array.from(
    { length: count },
    (_, n) => `{"streamId":"Order-${n % 10}","type":"Counted","data":{"n":${n}}}\n`,
  );
  expect(await packed.evstore(['init', '--no-config'], { env: { EVSTORE_URL: url } })).toMatchObject({ code: 0 });
  const imported = await packed.evstore(['import'], { env: { EVSTORE_URL: url }, input: lines.join('') });
  expect(imported).toMatchObject({ code: 0 });
});
afterAll(() => packed.remove());

/** A new folder for what a case makes. */
function project(files: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(join(packed.folder, 'project-'));
  for (const folder of ['projections', 'sagas']) mkdirSync(join(cwd, folder));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const options = { cwd, env: { EVSTORE_URL: url } };
  return {
    cwd,
    evstore: (...argv: string[]) => packed.evstore(argv, options),
    shell: (script: string) => packed.shell(script, options),
  };
}

const counter = (body = '', top = '') => `${top}
export const counter = { name: 'counter', version: 1, table: { columns: { id: 'text', n: 'integer' }, key: 'id' },
  on: { Counted: (row) => { ${body} return { n: (row?.n ?? 0) + 1 }; } } };\n`;

describe('a disk that is full', () => {
  test.each(['export', 'read'])('%s ends with 74 and says how many events were written', async (command) => {
    const { cwd, shell } = project();
    const { code, stderr } = await shell(`ulimit -f 300; evstore ${command} > out.ndjson`);
    const written = readFileSync(join(cwd, 'out.ndjson'), 'utf8').split('\n').length - 1;
    expect(written).toBeGreaterThan(100);
    expect({ code, stderr }).toMatchObject({ code: 74, stderr: expect.stringContaining('cannot write to stdout') });
    expect(stderr).toContain(`${written.toLocaleString('en-US')} events were written in full`);
  });

  test('a file named by --to is not left half-written', async () => {
    const { cwd, shell } = project();
    expect(await shell('ulimit -f 300; evstore export --to out.ndjson')).toMatchObject({ code: 74 });
    expect(readdirSync(cwd)).toEqual(['projections', 'sagas']);
  });
});

describe('code that never finishes loading', () => {
  const never = 'await new Promise(() => {});\n';

  test.each(['projections/s.ts', 'projections/s.mjs'])('%s is named, exit 70', async (file) => {
    const { evstore } = project({ [file]: counter('', never) });
    for (const argv of [['projections'], ['run', '--once'], ['rebuild', '--all']]) {
      const { code, stdout, stderr } = await evstore(...argv);
      const row = expect.stringMatching(/\tnot loaded\t.*\n$/);
      expect({ code, stdout }).toEqual({ code: 70, stdout: argv[0] === 'projections' ? row : '' });
      expect(stderr).toContain(`error: ${file} never finished loading (E_UNFINISHED)`);
    }
  });

  test('a config file too, whatever the command', async () => {
    const { cwd } = project({ 'evstore.config.mjs': `${never}export default {};` });
    const { code, stderr } = await packed.evstore(['lag', '--max-lag', '0', '--json'], { cwd });
    expect(code).toBe(70);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'E_UNFINISHED',
      message: 'evstore.config.mjs never finished loading',
    });
  });

  test('the first signal ends it while a timer keeps it waiting', async () => {
    const { cwd } = project({
      'projections/s.mjs': counter('', `setInterval(() => {}, 1000);\nconsole.error('begun');\n${never}`),
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const child = spawn(process.execPath, [packed.program, 'projections'], {
        cwd,
        env: { ...process.env, EVSTORE_URL: url },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let told = '';
      for await (const chunk of child.stderr) {
        told += chunk;
        if (told.includes('begun')) break;
      }
      child.kill(signal);
      await once(child, 'exit');
      expect(child.signalCode).toBe(signal);
    }
  });
});

describe('an external projection that never finishes', () => {
  const hanging = (part: string) => `
    const hang = (name) => (name === '${part}' ? new Promise(() => {}) : undefined);
    export const search = { name: 'search_${part}', version: 1, open: () => ({}), write: () => hang('write'),
      promote: () => hang('promote'), drop: () => {} };\n`;

  test.each(['write', 'promote'])('%s: run and rebuild name it, and never end with 0', async (part) => {
    const { evstore } = project({ 'projections/search.mjs': hanging(part) });
    for (const argv of [['run', '--once'], ['run'], ['rebuild', `search_${part}`]]) {
      const { code, stderr } = await evstore(...argv);
      expect({ argv, code }).toEqual({ argv, code: 9 });
      expect(stderr).toContain(`projection search_${part} failed to ${part}`);
      expect(stderr).toContain(`${part} waits for a promise that nothing can settle any more`);
    }
  });
});

describe('user code that calls process.exit', () => {
  test.each([
    ['a projection file', { 'projections/s.mjs': counter('', 'process.exit(0);') }, ['run', '--once']],
    ['a handler', { 'projections/s.mjs': counter('process.exit(0);') }, ['rebuild', 'counter', '--restart']],
    ['a saga file', { 'sagas/s.mjs': 'process.exit(0);' }, ['run', '--once', '--sagas']],
    ['a config file', { 'evstore.config.mjs': 'process.exit(0); export default {};' }, ['projections']],
  ])('%s: it is named, exit 9', async (_what, files, argv) => {
    const { evstore } = project({ ...files });
    const { code, stderr } = await evstore(...argv);
    expect(code, stderr).toBe(9);
    expect(stderr).toContain(Object.keys(files)[0]);
    expect(stderr).toContain('process.exit(0) was called, but evstore ends the process itself');
  });
});

test('a thread of a rebuild that user code ends by process.exit fails the rebuild', async () => {
  const { evstore } = project({ 'projections/s.mjs': counter('process.exit(0);') });
  const { code, stderr } = await evstore('rebuild', 'counter', '--restart', '--parallel', '2');
  expect(code, stderr).toBe(9);
  expect(stderr).toContain('It ended with exit code 0, as process.exit does.');
});

describe('what user code leaves or prints', () => {
  test.each([
    ['a timer', 'setInterval(() => {}, 1000);'],
    ['a socket', "import { createServer } from 'node:net';\ncreateServer().listen(0);"],
  ])('%s does not keep a command that has done its work', async (_what, top) => {
    const { evstore } = project({ 'projections/s.mjs': counter('', top) });
    expect(await evstore('projections')).toMatchObject({ code: 0, stdout: expect.stringContaining('counter') });
    expect(await evstore('run', '--once')).toMatchObject({ code: 0 });
  });

  test('a reader that is slow gets everything', async () => {
    const { shell } = project({ 'projections/s.mjs': counter('', 'setInterval(() => {}, 1000);') });
    const { stdout } = await shell('evstore read | (sleep 0.5; wc -l)');
    expect(Number(stdout)).toBe(count);
  });

  test.each([
    ['console.log', "console.log('printed');"],
    ['process.stdout', "process.stdout.write('printed\\n');"],
  ])('what it prints by %s goes to stderr', async (_how, print) => {
    const { evstore } = project({ 'projections/s.mjs': counter(print, print) });
    for (const argv of [['projections'], ['run', '--once'], ['rebuild', 'counter', '--restart']]) {
      const { code, stdout, stderr } = await evstore(...argv, '--json');
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toHaveProperty(argv[0] === 'rebuild' ? 'rebuilds' : 'projections');
      expect(stderr).toContain('printed\n');
    }
  });
});

test('a working directory that was deleted is an error', async () => {
  const { cwd, shell } = project();
  const { code, stdout, stderr } = await shell(
    `mkdir gone; cd gone; rmdir ../gone; evstore streams --store sqlite:${cwd}/x.db`,
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('the working directory is gone');
});

describe('export --to', () => {
  const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').length - 1;

  test('keeps the mode of a file, and leaves no other file behind', async () => {
    const { cwd, evstore } = project();
    const file = join(cwd, 'out.ndjson');
    writeFileSync(file, 'before', { mode: 0o600 });
    expect(await evstore('export', '--to', 'out.ndjson')).toMatchObject({ code: 0 });
    expect({ lines: linesOf(file), mode: statSync(file).mode & 0o777 }).toEqual({ lines: count, mode: 0o600 });
    expect(await evstore('export', '--to', 'new.ndjson.gz', '-n', '3')).toMatchObject({ code: 0 });
    expect(
      gunzipSync(readFileSync(join(cwd, 'new.ndjson.gz')))
        .toString()
        .split('\n'),
    ).toHaveLength(4);
    expect(readdirSync(cwd).sort()).toEqual(['new.ndjson.gz', 'out.ndjson', 'projections', 'sagas']);
  });

  test('writes to the target of a symbolic link, whether it is there or not, and to every name of a file', async () => {
    const { cwd, evstore } = project({ 'target.ndjson': 'before', 'one.ndjson': 'before' });
    symlinkSync('target.ndjson', join(cwd, 'link.ndjson'));
    symlinkSync('later.ndjson', join(cwd, 'early.ndjson'));
    linkSync(join(cwd, 'one.ndjson'), join(cwd, 'two.ndjson'));
    for (const [name, target] of [
      ['link.ndjson', 'target.ndjson'],
      ['early.ndjson', 'later.ndjson'],
      ['one.ndjson', 'two.ndjson'],
    ] as const) {
      expect(await evstore('export', '--to', name, '-n', '5')).toMatchObject({ code: 0 });
      expect(linesOf(join(cwd, target))).toBe(5);
    }
    expect(statSync(join(cwd, 'one.ndjson')).nlink).toBe(2);
  });

  test.runIf(process.platform !== 'win32')('writes to a device or a pipe, which stays one', async () => {
    const { cwd, shell, evstore } = project();
    const { code, stdout } = await shell('mkfifo pipe; wc -l < pipe & evstore export --to pipe -n 7; wait');
    expect({ code, count: Number(stdout) }).toEqual({ code: 0, count: 7 });
    expect(statSync(join(cwd, 'pipe')).isFIFO()).toBe(true);
    symlinkSync('/dev/null', join(cwd, 'null'));
    expect(await evstore('export', '--to', 'null')).toMatchObject({ code: 0 });
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(await evstore('export', '--to', '/dev/full')).toMatchObject({ code: 74 });
  });

  test('refuses a directory', async () => {
    const { evstore } = project();
    const { code, stderr } = await evstore('export', '--to', 'projections');
    expect(code).toBe(74);
    expect(stderr).toContain('cannot write projections (E_OUTPUT)\nit is a directory.');
  });

  test('takes -o for the format, as every command does', async () => {
    const { cwd, evstore } = project();
    expect(await evstore('export', '-o', 'tsv', '--to', 'out.tsv', '--to-position', '2')).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, 'out.tsv'), 'utf8')).toMatch(/^globalPosition\t.*\n1\t.*\n2\t.*\n$/);
  });
});
