/** How a project is recognised, and how code is written for it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { detectProject } from '../../src/scaffold/detect.js';
import { renderCode } from '../../src/scaffold/render.js';
import { templateStyle } from '../../src/scaffold/style.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-detect-'));
  mkdirSync(join(folder, '.git'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const detect = () => detectProject(join(folder, 'projections'));
const tools = (...names: string[]) => ({ devDependencies: Object.fromEntries(names.map((name) => [name, '*'])) });

test('a folder without a project gets the style of the templates', () => {
  expect(detect()).toMatchObject({ style: templateStyle, doubts: [], from: [] });
});

test.each([
  ['module', { module: 'nodenext' }, { modules: 'import', extension: 'ts', importExtension: '.js' }],
  ['commonjs', { module: 'nodenext' }, { modules: 'import', extension: 'ts', importExtension: '' }],
  ['commonjs', { module: 'Node16', verbatimModuleSyntax: true }, { modules: 'require', extension: 'ts' }],
  ['module', { module: 'nodenext', verbatimModuleSyntax: true }, { modules: 'import', importExtension: '.js' }],
  ['module', { module: 'nodenext', rewriteRelativeImportExtensions: true }, { importExtension: '.ts' }],
  [undefined, { module: 'preserve', verbatimModuleSyntax: true }, { modules: 'import', importExtension: '' }],
  [undefined, { module: 'commonjs', verbatimModuleSyntax: true }, { modules: 'require' }],
  ['module', { noPropertyAccessFromIndexSignature: true }, { usesBrackets: true }],
])('type %j with %j is written as %j', (type, compilerOptions, expected) => {
  write({ 'package.json': { type, ...tools('jest') }, 'tsconfig.json': { compilerOptions } });
  expect(detect().style).toMatchObject({ language: 'typescript', ...expected });
});

test('options that tsconfig.json inherits, and comments in it, are read', () => {
  write({
    'package.json': { type: 'commonjs', ...tools('vitest') },
    'base.json': { compilerOptions: { module: 'nodenext', verbatimModuleSyntax: true } },
    'tsconfig.json': '{ // ours\n "extends": "./base.json", "compilerOptions": { "strict": true, }, }',
  });
  // vitest cannot be loaded by require.
  expect(detect().style).toMatchObject({ modules: 'import', extension: 'mts', importExtension: '.mjs' });
});

test('what cannot be read is said', () => {
  write({ 'package.json': '{', 'tsconfig.json': '{ "extends": "./missing.json" }', 'prettier.config.js': '' });
  const { doubts, style } = detect();
  expect(doubts).toHaveLength(3);
  expect(doubts.join()).toMatch(
    /package\.json is not JSON.*tsconfig\.json cannot be read.*prettier\.config\.js is not read/s,
  );
  expect(style.format).toEqual(templateStyle.format);
});

test.each([
  [{ 'biome.json': {} }, { indent: '\t', quote: '"', semicolons: true }],
  [
    {
      'biome.jsonc':
        '{ "formatter": { "indentStyle": "space", }, /* own */ "javascript": { "formatter": { "quoteStyle": "single", "semicolons": "asNeeded", "indentWidth": 8 } } }',
    },
    { indent: ' '.repeat(8), quote: "'", semicolons: false },
  ],
  [
    { '.prettierrc': 'semi: false\nsingleQuote: true # ours\ntabWidth: 4\n' },
    { indent: '    ', quote: "'", semicolons: false },
  ],
  [{ '.prettierrc.json': { useTabs: true } }, { indent: '\t', quote: '"', semicolons: true }],
  [{ 'package.json': { prettier: { singleQuote: true }, ...tools('vitest') } }, { indent: '  ', quote: "'" }],
  [{ 'package.json': tools('vitest', 'prettier') }, { indent: '  ', quote: '"', semicolons: true }],
])('the format of %j', (files, format) => {
  write(files);
  expect(detect()).toMatchObject({ style: { format }, doubts: [] });
});

test('tests for jest import its globals, unless their types are there', async () => {
  const code = "import { expect, test } from 'vitest';\n\ntest('it', () => expect(1).toBe(1));\n";
  const render = async (...names: string[]) => {
    write({ 'package.json': tools('typescript', ...names) });
    return (await renderCode(code, detect().style)).split('\n')[0];
  };
  expect(await render('jest')).toBe("import { expect, test } from '@jest/globals';");
  expect(await render('jest', '@types/jest')).toBe('');
  expect(await render('jest', '@types/jest', '@jest/globals')).toBe("import { expect, test } from '@jest/globals';");
});

test('quotes, semicolons and indentation change, and texts, templates and comments do not', async () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is code.
  const code = [
    "/** It's `a`; */",
    "const a = ['x', 'say \"y\"', `it's ${'z'}`];",
    'const b = `',
    "  select 'x';",
    '`;',
    'const c = {',
    '  /**',
    "   * don't",
    '   */',
    "  d: 'e',",
    '};',
    '[a, b, c].forEach(String);',
    '',
  ].join('\n');
  const format = { indent: '\t', quote: '"', semicolons: false } as const;
  expect((await renderCode(code, { ...templateStyle, format })).split('\n')).toEqual([
    "/** It's `a`; */",
    'const a = ["x", \'say "y"\', `it\'s ${"z"}`]',
    'const b = `',
    "  select 'x';",
    '`',
    'const c = {',
    '\t/**',
    "\t * don't",
    '\t */',
    '\td: "e",',
    // Without it the next line would continue this one.
    '};',
    '[a, b, c].forEach(String)',
    '',
  ]);
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: it is code.
});
