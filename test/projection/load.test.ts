/** The user's files, written to a folder of their own and loaded as the command does. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findFiles } from '../../src/config/find-files.js';
import { allOf } from '../../src/config/load-files.js';
import { loadProjections } from '../../src/projection/define/load.js';
import { isLoading } from '../../src/terminal/user-code.js';
import { errorOf } from '../support/events.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-load-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const notes: string[] = [];
const load = async (globs?: readonly string[]) => {
  notes.length = 0;
  return allOf(await loadProjections({ globs, folder, note: async (line) => void notes.push(line) }));
};

function source(name: string, handler = '() => ({})', table = name): string {
  return `import { defineProjection } from 'evstore';
export const ${name} = defineProjection({
  name: '${name}', version: 1, table: { name: '${table}', columns: { id: 'text' as const }, key: 'id' },
  on: { A: ${handler} },
});`;
}

describe('loadProjections', () => {
  it('loads every export that looks like a projection, sorted by name, and notes each file', async () => {
    write('projections/b.ts', `${source('bees')}\nexport default bees;\nexport const other = 1;`);
    write('projections/deep/a.ts', source('ants'));
    write('projections/b.test.ts', 'throw new Error("tests are not loaded")');
    write(
      'projections/plain.mjs',
      "export default { name: 'plain', version: 2, table: { columns: { id: 'text' }, key: 'id' }, on: {} };",
    );
    const loaded = await load();
    expect(loaded.map(({ name, version }) => [name, version])).toEqual([
      ['ants', 1],
      ['bees', 1],
      ['plain', 2],
    ]);
    expect(notes).toEqual([
      'loading projections/b.ts',
      'loading projections/deep/a.ts',
      'loading projections/plain.mjs',
    ]);
    expect(loaded[0]?.file).toBe(join(folder, 'projections/deep/a.ts'));
  });

  it('refuses a default export that has only a part of a projection', async () => {
    for (const [file, text, why] of [
      ['a-half.mjs', "{ name: 'half', version: 1, on: {} }", 'table is undefined'],
      ['b-half.mjs', "{ name: 'half', version: 1, table: { columns: { id: 'text' }, key: 'id' } }", 'on is undefined'],
    ] as const) {
      write(`projections/${file}`, `export default ${text};`);
      const error = await errorOf('E_CONFIG', load());
      expect(error.message).toContain(`${file}: export default`);
      expect(error.why).toContain(why);
      rmSync(join(folder, 'projections', file));
    }
  });

  it('gives a file that keeps the process busy a minute to load', async () => {
    write('projections/never.ts', 'setInterval(() => {}, 1000).unref(); await new Promise(() => {});');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const loading = load();
      const ended = errorOf('E_UNFINISHED', loading);
      while (!isLoading()) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await ended).toMatchObject({
        message: expect.stringMatching(/never\.ts never finished loading$/),
        why: expect.stringContaining('It took longer than 1m'),
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it('returns nothing when there are no files', async () => {
    expect(await load()).toEqual([]);
  });

  it('loads a projection once when another file re-exports it', async () => {
    write('projections/bees.ts', source('bees'));
    write('projections/index.ts', "export * from './bees.js';");
    expect(await load()).toHaveLength(1);
  });

  it('refuses two projections with the same name, or with the same table', async () => {
    write('projections/a.ts', source('bees'));
    write('projections/b.ts', source('bees', '() => null'));
    expect((await errorOf('E_CONFIG', load())).message).toBe('projection bees is defined twice');
    write('projections/b.ts', source('wasps', '() => null', 'bees'));
    expect((await errorOf('E_CONFIG', load())).message).toBe('table bees is defined twice');
  });

  it('names the file, the export and the fault of an invalid projection', async () => {
    const file = write('projections/a.ts', "export const wrong = { name: 'Bad Name', version: 1, table: {}, on: {} };");
    const error = await errorOf('E_CONFIG', load());
    expect(error).toMatchObject({ exitCode: 2, message: `${file}: export wrong is not a valid projection` });
    expect(error.why).toMatch(/^Its name is 'Bad Name': it takes/);
  });

  it('refuses an inline projection whose rows several streams share, and says how to change it', async () => {
    const table = "{ columns: { id: 'text' }, key: 'id' }";
    const inline = `name: 'shared', version: 1, mode: 'inline', table: ${table}, on: { A: () => ({}) }`;
    const file = write('projections/a.mjs', `export default { ${inline}, key: () => 'all' };`);
    const error = await errorOf('E_CONFIG', load());
    expect(error).toMatchObject({ exitCode: 2, message: `${file}: export default is not a valid projection` });
    expect(error.why).toContain('leave out mode, so that evstore run writes the rows');
    rmSync(file);
    write('projections/b.mjs', `export default { ${inline} };`);
    expect(await load()).toMatchObject([{ name: 'shared', mode: 'inline' }]);
  });

  it('names the file and the line when a file throws', async () => {
    const file = write('projections/a.ts', "const a = 1;\n\nthrow new Error('not today');\n");
    const error = await errorOf('E_HANDLER', load());
    expect(error).toMatchObject({ exitCode: 9, message: `${file} threw while it was loaded` });
    expect(error.why).toBe('not today (line 3).');
  });

  it('names the file when create throws', async () => {
    const file = write(
      'projections/a.ts',
      "export const broken = { name: 'broken', version: 1, tables: ['broken'], create: (t) => t.nope.index('x'), on: {} };",
    );
    const error = await errorOf('E_HANDLER', load());
    expect(error.message).toBe(`${file}: export broken failed while its tables were described`);
  });

  it('hashes the same code to the same value, and other code to another', async () => {
    write('projections/a.ts', source('bees'));
    const [first] = await load();
    const [again] = await load();
    write('projections/a.ts', source('bees', '() => null'));
    const [changed] = await load();
    expect(again?.codeHash).toBe(first?.codeHash);
    expect(changed?.codeHash).not.toBe(first?.codeHash);
    expect(first?.codeHash).toMatch(/^[0-9a-f]{32};ts1=[0-9a-f]{32}$/);
  });
});

describe('findFiles', () => {
  const find = async (...globs: string[]) => {
    return (await findFiles(globs, folder)).map((file) => file.slice(folder.length + 1));
  };

  it('knows *, **, ?, [] and braces, folders and files; leaves out declarations, tests and packages', async () => {
    for (const path of [
      'a.ts',
      'b.mjs',
      'c.txt',
      'd.cts',
      'a.d.ts',
      'a.test.ts',
      'x/a.ts',
      'x/y/a.projection.ts',
      'node_modules/p/a.ts',
      '.hidden/a.ts',
    ]) {
      write(path, '');
    }
    expect(await find('**')).toEqual(['a.ts', 'b.mjs', 'd.cts', 'x/a.ts', 'x/y/a.projection.ts']);
    expect(await find('*.{ts,mjs}')).toEqual(['a.ts', 'b.mjs']);
    expect(await find('[ab].*')).toEqual(['a.ts', 'b.mjs']);
    expect(await find('**/*.projection.ts')).toEqual(['x/y/a.projection.ts']);
    expect(await find('x/?.ts', './x/a.ts')).toEqual(['x/a.ts']);
    expect(await find('x')).toEqual(['x/a.ts', 'x/y/a.projection.ts']);
    expect(await find('x/')).toEqual(await find('x'));
    expect(await find('.hidden/*', 'x\\*.ts')).toEqual(['.hidden/a.ts', 'x/a.ts']);
    expect(await find('**/a.ts')).toEqual(['a.ts', 'x/a.ts']);
    expect(await find(`${folder}/x/*.ts`)).toEqual(['x/a.ts']);
    expect(await find('nothing/**', 'nothing', 'a.test.ts')).toEqual([]);
    const above = await findFiles(['../*.ts', '../y/*'], join(folder, 'x'));
    expect(above).toEqual([`${folder}/a.ts`]);
  });

  it('takes one glob without an array', async () => {
    write('a.ts', '');
    expect(await findFiles('*.ts', folder)).toEqual([`${folder}/a.ts`]);
  });

  it('takes the name of a file or folder literally, whatever characters are in it', async () => {
    write('app (new)/[id]/{a}/#p.ts', '');
    expect(await find('app (new)/[id]/{a}/#p.ts')).toEqual(['app (new)/[id]/{a}/#p.ts']);
    expect(await find('app (new)/[id]')).toEqual(['app (new)/[id]/{a}/#p.ts']);
    expect(await findFiles('*.ts', join(folder, 'app (new)/[id]/{a}'))).toHaveLength(1);
  });

  it('ends with a glob of many stars, however long the names are', async () => {
    write(`${'a'.repeat(200)}.ts`, '');
    write(`${'a/'.repeat(60)}c.ts`, '');
    expect(await find(`${'*a'.repeat(60)}*b.ts`, `${'**/a/'.repeat(30)}*b.ts`)).toEqual([]);
  });

  it('ends where a link leads to a folder above', async () => {
    write('x/a.ts', '');
    for (const name of ['up', 'up2', 'up3']) symlinkSync('..', join(folder, 'x', name), 'dir');
    expect(await find('**')).toEqual(['x/a.ts']);
  });

  it('ends when it is told to', async () => {
    write('x/a.ts', '');
    await expect(findFiles('**', folder, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});
