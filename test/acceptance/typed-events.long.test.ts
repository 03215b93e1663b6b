/** A project that generates the types of its events: the packed program writes them, and both compilers read them. */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTypes } from '../../src/inference/typescript.js';
import { infer, values } from '../inference/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';
import { freshSeed } from '../support/random.js';

allowMoreTime('the package is packed, installed and run by a shell');

const root = fileURLToPath(new URL('../..', import.meta.url));
const compilers = { 'TypeScript 7': 'typescript/bin/tsc', 'TypeScript 6': '@typescript/typescript6/bin/tsc6' };

/** The module kind, the endings of the program, and the type of its package, which decides what the generated file is. */
const setups = [
  ['nodenext', 'mts', 'module'],
  ['nodenext', 'cts', 'commonjs'],
  // One file of types for both kinds of module.
  ['nodenext', 'mts and cts', 'module'],
  ['nodenext', 'mts and cts', 'commonjs'],
  ['nodenext', 'mts', 'commonjs'],
  ['node16', 'mts', 'module'],
  ['preserve', 'mts', 'module'],
] as const;

/** For the compiler every object has a constructor, which is a function: it refuses one without a field of that name. */
const plain = values.filter((value) => !JSON.stringify(value, showBigInt).includes('"constructor"'));
const showBigInt = (_name: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
  mkdirSync(join(packed.folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(root, 'node_modules/@types/node'), join(packed.folder, 'node_modules/@types/node'), 'dir');
  const events = Array.from({ length: 40 }, (_, index) => [
    { type: 'OrderPlaced', data: { id: 'a', price: 1.5 } },
    {
      type: 'OrderPlaced',
      schemaVersion: 2,
      data: { orderId: 'a', total: 1, status: index % 2 === 0 ? 'open' : 'held' },
    },
    { type: 'order.moved', data: { status: 'on its way', "it's": 1, [`2026-01-${10 + (index % 9)}`]: 1 } },
  ]).flat();
  const lines = events.map((event) => JSON.stringify({ streamId: 'Order-1', ...event }));
  lines.push('{"streamId":"Order-1","type":"OrderPaid","data":{"amount":9007199254740993}}');
  const shop = { cwd: packed.folder };
  await succeed(packed.evstore(['init', '--store', 'sqlite:shop.db'], shop));
  await succeed(packed.evstore(['import', '--store', 'sqlite:shop.db'], { ...shop, input: `${lines.join('\n')}\n` }));
  await succeed(packed.evstore(['types', 'generate', '--store', 'sqlite:shop.db'], shop));
});
afterAll(() => packed.remove());

async function succeed(run: Promise<{ readonly code: number | undefined; readonly stderr: string }>): Promise<void> {
  const { code, stderr } = await run;
  expect(code, stderr).toBe(0);
}

async function compile(folder: string, compiler: string, module: string, more: Readonly<Record<string, unknown>>) {
  const compilerOptions = {
    ...{ module, target: 'es2022', lib: ['es2023'], types: ['node'], noEmit: true, skipLibCheck: false },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    ...{ noPropertyAccessFromIndexSignature: true, ...more },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const run = await execa(process.execPath, [join(root, 'node_modules', compiler), '-p', folder], { reject: false });
  return run.stdout + run.stderr;
}

describe.each(Object.entries(compilers))('%s', (name, compiler) => {
  it.each(setups)(
    '%s, a program of %s in a package of type %s knows the data of its events',
    async (module, ending, type) => {
      const folder = join(packed.folder, `${name} ${module} ${ending} ${type}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
      for (const each of ending.split(' and ')) {
        copyFileSync(join(root, 'test/acceptance/consumer/typed.ts'), join(folder, `typed.${each}`));
      }
      copyFileSync(join(packed.folder, 'evstore.types.d.ts'), join(folder, 'evstore.types.d.ts'));
      expect(await compile(folder, compiler, module, { verbatimModuleSyntax: ending === 'mts' })).toBe('');
    },
  );

  it('each generated type takes every event that it was inferred from', async () => {
    const folder = join(packed.folder, `${name} samples`);
    mkdirSync(folder);
    const seed = freshSeed();
    const groups = fc.sample(fc.array(plain, { minLength: 1, maxLength: 12 }), { seed, numRuns: 60 });
    const types = groups.map((events, index) => ({
      type: `T${index}`,
      versions: [{ version: 1, events: events.length, complete: true, data: infer(events) }],
    }));
    writeFileSync(join(folder, 'types.d.ts'), writeTypes(types, []));
    const samples = groups.flatMap((events, index) =>
      events.map((event) => `void (${literalOf(event)} satisfies StoredEvents['T${index}']);`),
    );
    writeFileSync(join(folder, 'samples.mts'), ["import type { StoredEvents } from 'evstore';", ...samples].join('\n'));
    expect(await compile(folder, compiler, 'nodenext', {}), `seed ${seed}`).toBe('');
  });
});

it('the generated file says what was looked at, and has each version', () => {
  const text = readFileSync(join(packed.folder, 'evstore.types.d.ts'), 'utf8');
  expect(text).toContain('// Looked at all 121 events of 3 types, up to position 121.\n');
  expect(text).toContain("      2: StoredEvents['OrderPlaced'];\n");
});

/** The value as TypeScript. A name in brackets is a member, even `__proto__`. */
function literalOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).replace(/[\u2028\u2029]/g, escapeUnit);
  const members = Object.entries(value).map(([name, each]) => `[${literalOf(name)}]: ${literalOf(each)}`);
  return `{ ${members.join(', ')} }`;
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16)}`;
}
