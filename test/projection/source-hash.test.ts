/** What counts as a change of a projection's source, in files as users write them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SourceReader } from '../../src/projection/define/source-hash.js';
import { root } from '../support/compile.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-source-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const hash = (path: string, name = 'orders') => new SourceReader().hash(join(folder, path), name);

const orders = `import { defineProjection } from 'evstore';
import { toCents } from './money.js';

interface Placed { readonly total?: number }

const round = (value: number): number => Math.round(value);
const rates: Record<string, number> = {};
rates.EUR = 1;

export const orders = defineProjection({
  name: 'orders',
  version: 1,
  table: { columns: { id: 'text', total: 'integer' as const }, key: 'id' },
  on: { Placed: (row, { data }) => ({ total: round(toCents((data as Placed).total ?? 0)) * rates.EUR! }) },
  validate: (table) => sumOf(table),
});

const sumOf = (table: unknown) => [table];
export const other = defineProjection({ name: 'other', version: 1, table: { columns: { id: 'text' }, key: 'id' }, on: {} });
`;
const money = `import { factor } from './factor.js';
export const toCents = (amount: number): number => amount * factor;
export const unused = 1;
`;

function writeOrders(change: (text: string) => string = (text) => text): void {
  write('orders.ts', change(orders));
  write('money.ts', money);
  write('factor.ts', 'export const factor = 100;\n');
}

describe('the source of a projection', () => {
  it.each<[string, (text: string) => string]>([
    ['comments and blank lines', (text) => `// Orders.\n\n${text.replaceAll(';\n', '; /* here */\n\n')}`],
    [
      'types',
      (text) => text.replace(': number): number', ': any)').replace(' as const', '').replace('rates.EUR!', 'rates.EUR'),
    ],
    [
      'quotes and parentheses',
      (text) => text.replaceAll("'text'", '"text"').replace('(value: number)', '((value: number))'.slice(1, -1)),
    ],
    [
      'quotes around keys, and short properties',
      (text) => text.replace("name: 'orders'", "'name': 'orders'").replace('{ data }', '{ data: data }'),
    ],
    [
      'another export',
      (text) => text.replace("columns: { id: 'text' }, key", "columns: { id: 'text', n: 'integer' }, key"),
    ],
    ['what only validate uses', (text) => text.replace('=> [table]', '=> [table, table]')],
    ['the order of declarations', (text) => `${text.replace(/const round.*\n/, '')}${/const round.*\n/.exec(text)}`],
    [
      'an import for another export',
      (text) => `import { unused } from './money.js';\n${text}\nexport const more = unused;\n`,
    ],
  ])('does not change with %s', async (_name, change) => {
    writeOrders();
    const before = await hash('orders.ts');
    expect(before).toMatchObject({ language: 'ts' });
    writeOrders(change);
    expect(await hash('orders.ts')).toEqual(before);
  });

  it.each<[string, (text: string) => string]>([
    ['a handler', (text) => text.replace('?? 0', '?? 1')],
    ['a function of the same file that a handler calls', (text) => text.replace('Math.round', 'Math.floor')],
    ['a statement that changes what a handler reads', (text) => text.replace('rates.EUR = 1', 'rates.EUR = 2')],
    ['the import of what a handler calls', (text) => text.replace('{ toCents }', '{ unused as toCents }')],
  ])('changes with %s', async (_name, change) => {
    writeOrders();
    const before = await hash('orders.ts');
    writeOrders(change);
    expect((await hash('orders.ts'))?.hash).not.toBe(before?.hash);
  });

  it('changes with a function of another file, near or far, and with a file of data', async () => {
    const seen = new Set<string | undefined>();
    const look = async () => seen.add((await hash('orders.ts'))?.hash);
    writeOrders();
    await look();
    write('money.ts', money.replace('unused = 1', 'unused = 2'));
    await look();
    expect(seen.size).toBe(1);
    write('factor.ts', 'export const factor = 10;\n');
    await look();
    write('factor.ts', "import data from './factor.json';\nexport const factor = data.factor;\n");
    for (const factor of [1, 2]) {
      write('factor.json', `{"factor":${factor}}`);
      await look();
    }
    expect(seen.size).toBe(4);
  });

  it('changes when a function sets a variable that a handler reads', async () => {
    const file = (set: string) =>
      `let rate = 1; export function setRate(to) { ${set} }\nexport const orders = { name: 'orders', version: 1, on: { A: () => rate } };\n`;
    write('orders.ts', file('rate = to;'));
    const before = await hash('orders.ts');
    write('orders.ts', file('rate = 2 * to;'));
    expect((await hash('orders.ts'))?.hash).not.toBe(before?.hash);
  });

  it('changes with any of the places where an enum is declared', async () => {
    const file = (first: number) =>
      `enum Kind { A = ${first} }\nenum Kind { B = 2 }\nexport const orders = { name: 'orders', version: 1, on: { A: () => Kind.A } };\n`;
    write('orders.ts', file(1));
    const before = await hash('orders.ts');
    write('orders.ts', file(2));
    expect((await hash('orders.ts'))?.hash).not.toBe(before?.hash);
  });

  it('tells a name of the file from a local one', async () => {
    const file = (row: number) =>
      `const row = ${row};\nexport const rows = { row };\nexport const orders = { name: 'orders', version: 1, on: { A: (row) => row } };\n`;
    write('orders.ts', file(1));
    const before = await hash('orders.ts');
    write('orders.ts', file(2));
    expect(await hash('orders.ts')).toEqual(before);
  });

  it('is the same under another name, through files that export it again', async () => {
    writeOrders();
    const own = await hash('orders.ts');
    write('index.ts', "export * from './all/index.js';\n");
    write('all/index.ts', "export * from '../index.js';\nexport { orders as renamed } from '../orders.js';\n");
    write('circle.ts', "export { nothing } from './circle.js';\n");
    expect(await hash('circle.ts', 'nothing')).toBeDefined();
    write('default.ts', "import { orders } from './orders.js';\nexport default orders;\n");
    expect(await hash('index.ts', 'renamed')).toEqual(own);
    expect(await hash('default.ts', 'default')).toEqual(own);
  });

  it('is the same when files get other names', async () => {
    writeOrders();
    const before = await hash('orders.ts');
    write('shop/order-list.ts', orders.replace('./money.js', './cents.js'));
    write('shop/cents.ts', money.replace('./factor.js', '../factor.js'));
    expect(await hash('shop/order-list.ts')).toEqual(before);
  });

  it('does not change when a package is a link or a copy, and says nothing about its code', async () => {
    write('orders.ts', orders.replace('./money.js', '@shop/money'));
    const seen = [];
    for (const factor of [1, 2]) {
      write(
        'node_modules/@shop/money/package.json',
        '{ "name": "@shop/money", "type": "module", "exports": "./money.js" }',
      );
      write('node_modules/@shop/money/money.js', `export const toCents = (amount) => ${factor} * amount;\n`);
      seen.push(await hash('orders.ts'));
    }
    rmSync(join(folder, 'node_modules'), { recursive: true });
    write('packages/money/money.js', 'export const toCents = (amount) => amount;\n');
    mkdirSync(join(folder, 'node_modules/@shop'), { recursive: true });
    symlinkSync(join(folder, 'packages/money'), join(folder, 'node_modules/@shop/money'));
    seen.push(await hash('orders.ts'));
    expect(seen[0]).toMatchObject({ language: 'ts' });
    expect(new Set(seen.map((each) => each?.hash)).size).toBe(1);
  });

  it('follows the paths of a tsconfig.json', async () => {
    write('tsconfig.json', '{ "compilerOptions": { "paths": { "@shop/*": ["./shop/*"] } } }');
    write('orders.ts', orders.replace('./money.js', '@shop/money'));
    write('shop/money.ts', 'export const toCents = (amount: number) => amount;\n');
    const before = await hash('orders.ts');
    write('shop/money.ts', 'export const toCents = (amount: number) => 2 * amount;\n');
    expect((await hash('orders.ts'))?.hash).not.toBe(before?.hash);
  });

  it('is the same in JavaScript from which tsc removed only the types', async () => {
    writeOrders();
    write('package.json', '{ "type": "module" }');
    const tsc = join(root, 'node_modules/.bin/tsc');
    const compile = (target: string) => {
      const options = ['--ignoreConfig', '--noCheck', '--module', 'esnext', '--moduleResolution', 'bundler'];
      const places = ['--outDir', join(folder, target), join(folder, 'orders.ts')];
      execFileSync(tsc, [...options, '--target', target, ...places]);
      return hash(`${target}/orders.js`);
    };
    const source = await hash('orders.ts');
    expect(await compile('esnext')).toEqual({ ...source, language: 'js' });
    expect((await compile('es2019'))?.hash).not.toBe(source?.hash);
  });

  it('is all of a file whose exports show only when it runs', async () => {
    const text = "const on = { A: () => 1 };\nmodule.exports = { orders: { name: 'orders', version: 1, on } };\n";
    write('orders.cjs', text);
    const before = await hash('orders.cjs');
    expect(before).toMatchObject({ language: 'js' });
    write('orders.cjs', text.replace('1 }', '2 }'));
    expect((await hash('orders.cjs'))?.hash).not.toBe(before?.hash);
  });

  it('is unknown when a file is not there, cannot be parsed, or imports what cannot be followed', async () => {
    writeOrders();
    rmSync(join(folder, 'money.ts'));
    expect(await hash('orders.ts')).toBeUndefined();
    writeOrders((text) => `import old = require('./old');\n${text}`);
    expect(await hash('orders.ts')).toBeUndefined();
    expect(await hash('nowhere.ts')).toBeUndefined();
    writeOrders((text) => text.replace('const round', '@toCents\nclass Money {}\nconst round'));
    expect(await hash('orders.ts')).toBeUndefined();
    writeOrders((text) => text.replace('./money.js', './money.tsx'));
    write('money.tsx', money);
    expect(await hash('orders.ts')).toBeUndefined();
    write('orders.ts', 'export const orders = ;');
    expect(await hash('orders.ts')).toBeUndefined();
  });

  it('has a new form when the packages that parse it print it differently', async () => {
    const odd = '?? Kind.A + row!.text`a`.b! + /a+/u.exec("a")?.index! + (1n > 2 ? [, 1].at(0)! : null ?? 3)';
    writeOrders((text) => `${text.replace('?? 0', odd)}enum Kind { A = 1 }\n`);
    expect(await hash('orders.ts'), 'increase `form` in syntax.ts, and write the new hash here').toEqual({
      form: 1,
      hash: '9c61d8dc6aa2cb3309f740ceed55d36b',
      language: 'ts',
    });
  });
});
