/**
 * One projection file, in programs that tsx starts, esbuild bundles and tsc compiles, and in the packed command line, which
 * loads it itself. None of them may take the code of another for changed code.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../support/compile.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('each case compiles a program and starts a dozen processes');

const projection = `import { defineProjection } from 'evstore';
import { toCents } from './money.js';

interface Placed { readonly total?: number; readonly customer?: { name: string } }

// Rounds as the shop does.
const round = (value: number): number => Math.round(value);

export const orderSummary = defineProjection({
  name: 'order_summary',
  version: 1,
  mode: 'inline',
  table: { columns: { id: 'text', customer: 'text', total: 'integer', events: 'integer' }, key: 'id' },
  on: {
    OrderPlaced: (row, event) => {
      const { total, customer } = event.data as Placed;
      const name = (text?: string) => text?.trim() ?? "nobody's";
      return { customer: name(customer?.name), total: round(toCents(total ?? 0)), events: (row?.events ?? 0) + 1 };
    },
    OrderRemoved: () => null,
  },
});
`;

const program = `import { openStore } from 'evstore';
import { orderSummary } from './projections/order-summary.js';
const [url = '', streamId = ''] = process.argv.slice(2);
const store = await openStore(url, { projections: [orderSummary], staleInline: 'fail' });
await store.append(streamId, { type: 'OrderPlaced', data: { total: 2.5, customer: { name: 'Ann' } } });
await store.close();
`;

const bundle = ['esbuild', 'program.ts', '--bundle', '--platform=node', '--format=esm', '--packages=external'];
const compile = ['tsc', '--ignoreConfig', '--noCheck', '--moduleResolution', 'bundler', '--module', 'esnext'];

/** What makes the program of the files, and what starts it. */
const tools: Readonly<Record<string, { readonly make?: readonly string[]; readonly start: readonly string[] }>> = {
  tsx: { start: ['tsx', 'program.ts'] },
  'esbuild --bundle': { make: [...bundle, '--sourcemap=inline', '--outfile=out.mjs'], start: ['node', 'out.mjs'] },
  'esbuild --bundle --minify': { make: [...bundle, '--minify', '--outfile=out.mjs'], start: ['node', 'out.mjs'] },
  'esbuild --keep-names, without optional chaining': {
    make: [...bundle, '--target=es2022', '--supported:optional-chain=false', '--keep-names', '--outfile=out.mjs'],
    start: ['node', 'out.mjs'],
  },
  'tsc --target es2020': {
    make: [...compile, '--target', 'es2020', '--outDir', 'out', 'program.ts'],
    start: ['node', 'out/program.js'],
  },
  'tsc --target esnext': {
    make: [...compile, '--target', 'esnext', '--sourceMap', '--outDir', 'out', 'program.ts'],
    start: ['node', 'out/program.js'],
  },
};

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed.remove());

function makeProject({ url }: TestStore) {
  const cwd = mkdtempSync(join(packed.folder, 'project-'));
  const file = join(cwd, 'projections/order-summary.ts');
  mkdirSync(join(cwd, 'projections'));
  writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(cwd, 'program.ts'), program);
  writeFileSync(file, projection);
  writeFileSync(
    join(cwd, 'projections/money.ts'),
    'export const toCents = (amount: number): number => amount * 100;\n',
  );
  const run = async (command: readonly string[], ...more: string[]) => {
    const [name = '', ...args] = command;
    const path = name === 'node' ? process.execPath : join(root, 'node_modules/.bin', name);
    await execa(path, [...args, ...more], { cwd });
  };
  const evstore = async (...argv: string[]) => {
    const { code, stdout, stderr } = await packed.evstore([...argv, '--json'], { cwd, env: { EVSTORE_URL: url } });
    if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
    return JSON.parse(stdout);
  };
  return {
    cwd,
    run: (command: readonly string[]) => run(command),
    append: (command: readonly string[], streamId: string) => run(command, url, streamId),
    evstore,
    change: (from: string, to: string, path = file) => {
      const text = readFileSync(path, 'utf8');
      expect(text).toContain(from);
      writeFileSync(path, text.replace(from, to));
    },
    state: async (...argv: string[]) => (await evstore('projections', ...argv)).projections[0].state as string,
  };
}

const countRows = async ({ raw }: TestStore) => (await raw.query('select 1 from order_summary')).length;

forEachEngine((engine) => {
  test.each(Object.keys(tools))('%s: its appends and the rebuilds of the command line write the same rows', (tool) =>
    withTestStore(engine, async (test) => {
      const { make, start } = tools[tool] ?? { start: [] };
      const { run, append, evstore, state, change } = makeProject(test);
      if (make !== undefined) await run(make);
      await append(start, 'Order-1');
      // The program had no source to compare with, and the command line says so.
      expect(await state()).toBe('unverified');
      await evstore('rebuild', 'order_summary', '--yes');
      expect(await state()).toBe('current');
      await append(start, 'Order-2');
      expect(await countRows(test)).toBe(2);
      expect(await state()).toBe('current');
      expect((await evstore('lag')).projections).toMatchObject([{ lag: 0, stale: false }]);
      change('// Rounds as the shop does.', '// Rounds as the shop does, and as the bank does.');
      expect(await state()).toBe('current');
      change('Math.round', 'Math.floor');
      expect(await state()).toBe('stale code');
    }),
  );

  test('the command line sees a change of a helper, and does not take compiled code for changed code', () =>
    withTestStore(engine, async (test) => {
      const { cwd, run, evstore, state, change } = makeProject(test);
      const compileFor = (target: string) => run([...compile, '--target', target, '--outDir', target, 'program.ts']);
      await evstore('append', 'Order-1', '--type', 'OrderPlaced', '--data', '{"total":1}', '--inline');
      expect(await state()).toBe('current');
      await compileFor('esnext');
      await compileFor('es2019');
      expect(await state('--projections', 'esnext/projections/*.js')).toBe('current');
      expect(await state('--projections', 'es2019/projections/*.js')).toBe('unverified');
      change('* 100', '* 1000', join(cwd, 'projections/money.ts'));
      expect(await state()).toBe('stale code');
      await evstore('rebuild', 'order_summary', '--yes');
      expect(await state()).toBe('current');
      expect(await state('--projections', 'esnext/projections/*.js')).toBe('unverified');
    }));
});
