/** What people stumble over every day, with the packed program on both engines. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestStore, forEachEngine, type TestStore } from '../support/engines.js';
import { type PackedPackage, packPackage } from '../support/package.js';

vi.setConfig({ testTimeout: 60_000 });

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed.remove());

/** A new folder with these files. */
function project(files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(join(packed.folder, 'project-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return {
    cwd,
    evstore: (...argv: string[]) => packed.evstore(argv, { cwd, env }),
    inFolder: (folder: string, ...argv: string[]) => packed.evstore(argv, { cwd: join(cwd, folder), env }),
    shell: (script: string) => packed.shell(script, { cwd, env }),
  };
}

const projectionOf = (name: string, body = 'return { n: 1 };') =>
  `{ name: '${name}', version: 1, table: { columns: { id: 'text', n: 'integer' }, key: 'id' }, on: { A: () => { ${body} } } }`;

forEachEngine((engine) => {
  let store: TestStore;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    store = await createTestStore(engine);
    env = { EVSTORE_URL: store.url };
    expect(await packed.evstore(['append', 'Order-42', '--type', 'A'], { env })).toMatchObject({ code: 0 });
  });
  afterAll(() => store.cleanup());

  test('.env: a byte order mark, a reference to a variable and an unquoted # are understood', async () => {
    const password = `\${DB_PART}`;
    for (const text of [
      `\ufeffEVSTORE_URL=${store.url}\n`,
      `EVSTORE_URL="${store.url}" # the store\r\n`,
      `export EVSTORE_URL='${store.url}'\n`,
      `DB_PART=x\n# a comment\nEVSTORE_URL=${store.url} # a # comment\nOTHER='${password}'\n`,
    ]) {
      const { evstore } = project({ '.env': text });
      expect(await evstore('streams', '-q'), text).toMatchObject({ code: 0, stdout: 'Order-42\n' });
    }
    const unclear = await project({ '.env': `EVSTORE_URL=${store.url}?x=\${NOBODY_SET_THIS}\n` }).evstore('streams');
    expect(unclear).toMatchObject({ code: 2, stdout: '' });
    expect(unclear.stderr).toContain('.env');
  });

  test("the .env of the config's folder counts in a folder below; one that cannot be read stops what needs it", async () => {
    const files = { '.env': `EVSTORE_URL=${store.url}\n`, 'evstore.config.json': '{}', 'src/deep/x.txt': '' };
    expect(await project(files).inFolder('src/deep', 'streams', '-q')).toMatchObject({ code: 0, stdout: 'Order-42\n' });
    const { evstore } = project({ '.env': `EVSTORE_URL=sqlite:\${NOBODY_SET_THIS}.db\n` });
    const unreadable = await evstore('streams');
    expect(unreadable).toMatchObject({ code: 2, stdout: '' });
    expect(unreadable.stderr).toContain('.env');
    for (const argv of [['completion', 'bash'], ['--help'], ['version'], ['explain', 'E_CONFIG']]) {
      expect(await evstore(...argv), argv.join(' ')).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test('a hint is for the store that was named, and can be pasted', async () => {
    const { evstore, shell } = project();
    const { stderr } = await evstore('read', 'Nothing', '--store', store.url);
    const next = /^next: (.*)$/m.exec(stderr)?.[1] ?? '';
    expect(next).toMatch(/^evstore streams --store /);
    if (engine === 'sqlite')
      expect(await shell(next)).toMatchObject({ code: 0, stdout: expect.stringContaining('Order-42') });
  });

  test('times without a zone are UTC and say so, and offsets are accepted', async () => {
    const { evstore } = project({}, env);
    expect((await evstore('read', '--help')).stdout.replace(/\s+/g, ' ')).toContain('ISO time (UTC without a zone)');
    for (const time of ['2020-01-01T00:00:00+00', '2020-01-01 00:00:00+00', '2020-01-01T00:00:00-0530', '2020-01-01']) {
      expect(await evstore('read', '--since', time), time).toMatchObject({ code: 0 });
      const line = `{"streamId":"Timed-1","type":"A","data":{"at":"${time}"},"createdAt":"${time}"}`;
      expect(await packed.evstore(['import'], { env, input: line }), time).toMatchObject({
        code: time.length > 10 ? 0 : 2,
      });
    }
  });

  test('tail -f, version, -o as the format everywhere, and errors that name an option once', async () => {
    const { evstore } = project({}, env);
    const tail = await evstore('tail', '-f', '--until-idle', '1ms', '-o', 'json');
    expect(tail).toMatchObject({ code: 0, stdout: expect.stringContaining('"streamId":"Order-42"') });
    expect(await evstore('export', '-o', 'json', '--to', 'out.ndjson')).toMatchObject({ code: 0 });
    const wrong = await evstore('export', '-o', 'out.ndjson');
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr.match(/--output/g)).toHaveLength(1);
    expect((await evstore('version')).stdout).toBe((await evstore('--version')).stdout);
  });

  test('NDJSON given as one array leads to jq, and a failed import names no line 0', async () => {
    const { evstore } = project({ 'all.json': '[{"streamId":"S-1","type":"A","data":{}}]' }, env);
    const { code, stderr } = await evstore('import', 'all.json');
    expect(code).toBe(2);
    expect(stderr).toContain("next: jq -c '.[]' all.json | evstore import\n");
    expect(stderr).not.toContain('line 0');
    const noStore = await project({ 'a.ndjson': '{"streamId":"S-1","type":"A","data":{}}' }).evstore(
      'import',
      'a.ndjson',
    );
    expect(noStore.code).not.toBe(0);
    expect(noStore.stderr).not.toContain('line 0');
  });

  test('the id of an event leads to the event', async () => {
    const { evstore } = project({}, env);
    const id = (await evstore('read', 'Order-42', '-q')).stdout.trim();
    const { code, stderr } = await evstore('read', id);
    expect(code).toBe(6);
    expect(stderr).toContain(`next: evstore show ${id}`);
  });

  test('code: wrong files are named with their line, and stop no command about another', async () => {
    const good = `export const good = ${projectionOf(`good_${engine}`)};\n`;
    const { evstore } = project(
      { 'projections/good.mjs': good, 'projections/bad.js': 'export const a = 1;\nexport const b = ;\n' },
      env,
    );
    const all = await evstore('projections');
    expect(all.code).toBe(2);
    expect(all.stderr).toMatch(/projections\/bad\.js cannot be compiled.*\n.*line 2/);
    const named = await evstore('run', `good_${engine}`, '--once');
    expect(named, named.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('at position') });
    expect(named.stderr).not.toContain('loading');
    const shaped = project({ 'projections/shape.mjs': 'export default { name: "x" };\n' }, env);
    const shape = await shaped.evstore('projections');
    expect(shape.code).toBe(2);
    expect(shape.stderr).toContain('projections/shape.mjs');
    const promise = `setTimeout(() => Promise.reject(new Error('forgotten')), 1);\nawait new Promise((done) => setTimeout(done, 300));\n`;
    const rejected = await project(
      { 'projections/p.mjs': `${promise}export const p = ${projectionOf('p')};\n` },
      env,
    ).evstore('projections');
    expect(rejected.code).toBe(9);
    expect(rejected.stderr).toMatch(/forgotten.*\n.*p\.mjs:1/);
    expect(rejected.stderr).not.toContain('bug');
  });

  test('a run that fails before it starts names no position', async () => {
    const name = `other_${engine}`;
    const write = (version: number) => ({
      'projections/x.mjs': `export const x = { ...${projectionOf(name)}, version: ${version} };\n`,
    });
    expect(await project(write(2), env).evstore('run', '--once')).toMatchObject({ code: 0 });
    const older = await project(write(1), env).evstore('run', '--once');
    expect(older.code).not.toBe(0);
    expect(older.stdout + older.stderr).not.toContain('position 0');
  });

  test('CommonJS: code of .cjs is found by the globs of init, and require gives the library', async () => {
    const { evstore, shell } = project(
      {
        'package.json': '{"type":"commonjs"}',
        'projections/common.cjs': `exports.common = ${projectionOf(`common_${engine}`)};\n`,
        'program.cjs': `const { openStore } = require('evstore');
          openStore(process.env.EVSTORE_URL).then(async (store) => {
            await store.append('Common-1', { type: 'A', data: {} });
            await store.close();
          });`,
      },
      env,
    );
    expect(await evstore('init')).toMatchObject({ code: 0 });
    expect((await evstore('projections', '-q')).stdout).toContain(`common_${engine}\n`);
    expect(await shell(`"${process.execPath}" program.cjs`)).toMatchObject({ code: 0, stderr: '' });
    expect(await evstore('read', 'Common-1')).toMatchObject({ code: 0 });
  });
});

describe('the place of a SQLite store', () => {
  test('sqlite:// with two slashes, %20, a trailing blank and ?mode=ro are understood or refused by name', async () => {
    const { evstore } = project();
    expect(await evstore('init', '--no-config', '--store', 'sqlite:a b.db')).toMatchObject({ code: 0 });
    for (const url of ['sqlite:a b.db ', 'sqlite:a%20b.db', 'sqlite://a%20b.db', 'sqlite:./a b.db']) {
      const read = await evstore('streams', '--store', url);
      const isRefused = read.code === 2 && /sqlite:/.test(read.stderr);
      expect(read.code === 0 || isRefused, `${url}: ${read.stderr}`).toBe(true);
      expect(read.stderr).not.toContain('E_BUG');
    }
    const mode = await evstore('streams', '--store', 'sqlite:a%20b.db?mode=ro');
    expect([0, 2]).toContain(mode.code);
    expect(mode.stderr).not.toContain("'a%20b.db?mode=ro'");
    const missing = await evstore('streams', '--store', 'sqlite:no such.db');
    expect(missing.stderr).toContain("next: evstore init --store 'sqlite:");
  });

  test.skipIf(process.getuid?.() !== 0)('a file without permission is called that', async () => {
    const { evstore, shell } = project();
    await evstore('init', '--no-config', '--store', 'sqlite:a.db');
    const { code, stderr } = await shell(
      `chmod 755 "$HOME" .; chmod 600 a.db; setpriv --reuid=65534 --clear-groups "${process.execPath}" "${packed.program}" streams --store sqlite:a.db`,
    );
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('permission');
    expect(stderr).not.toContain('E_BUG');
  });
});

test('several hosts in a URL are refused by name, and without a user the name of the account is used', async () => {
  const { evstore } = project({}, { USER: '' });
  const several = await evstore('streams', '--store', 'postgres://ada@a.example:5432,b.example:5432/shop');
  expect(several).toMatchObject({ code: 2 });
  expect(several.stderr).toMatch(/one host/);
  const anonymous = await evstore('streams', '--store', 'postgres://127.0.0.1:1/shop');
  expect(anonymous.code).toBe(3);
  expect(anonymous.stderr).not.toMatch(/E_BUG|no user/i);
});
