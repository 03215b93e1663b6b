/**
 * The README's blocks, run in order by the packed program in an empty folder: what it shows is what happens.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

/** The fenced blocks below a heading. */
function blocksOf(heading: string): { language: string; text: string }[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed.remove());

test('the tour', async () => {
  const blocks = blocksOf('A tour');
  expect(blocks.map(({ language }) => language)).toEqual(['sh', 'ts', 'sh']);
  for (const { language, text } of blocks) {
    if (language === 'ts') {
      const [, file = ''] = /^\/\/ (\S+)\n/.exec(text) ?? [];
      mkdirSync(dirname(join(packed.folder, file)), { recursive: true });
      writeFileSync(join(packed.folder, file), text);
    } else {
      const result = await packed.shell(text);
      expect(result, result.stderr).toMatchObject({ code: 0 });
    }
  }
  const { stdout } = await packed.evstore(['lag', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ head: 2, projections: [{ name: 'order_summary', lag: 0 }] });
});

test('from a program', async () => {
  const [{ text } = { text: '' }] = blocksOf('From a program');
  writeFileSync(join(packed.folder, 'program.mjs'), text);
  const result = await packed.shell('node program.mjs');
  expect(result, result.stderr).toMatchObject({ code: 0, stdout: '1 OrderPlaced 990\nseen at 1\n' });
});

test('from another language', async () => {
  const [{ text } = { text: '' }] = blocksOf('From another language');
  const script = `import Database from 'better-sqlite3'; new Database('evstore.db').exec(${JSON.stringify(text)})`;
  writeFileSync(join(packed.folder, 'node_modules/evstore/writer.mjs'), script);
  expect(await packed.shell('node node_modules/evstore/writer.mjs')).toMatchObject({ code: 0 });
  const { stdout } = await packed.evstore(['read', 'Order-9']);
  expect(JSON.parse(stdout)).toMatchObject({ streamId: 'Order-9', version: 1, data: { total: 100 } });
});
