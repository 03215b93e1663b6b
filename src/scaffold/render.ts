/** Writes code of a template as a project writes its code. The code of the templates is TypeScript in ES modules, for vitest. */
import { type Node, parseWithTypes } from '../projection/define/syntax.js';
import { applyEdits, type Edit } from './edits.js';
import { stripTypes } from './strip-types.js';
import { type CodeStyle, type Format, templateStyle } from './style.js';

export async function renderCode(text: string, style: CodeStyle): Promise<string> {
  let code = useRunner(text, style);
  const relative = (_all: string, path: string) => `from '${path}${style.importExtension}'`;
  code = code.replace(/from '(\.[^']*)\.js'/g, relative);
  if (style.usesBrackets && style.language === 'typescript') code = useBrackets(code);
  if (style.language === 'javascript') code = await stripTypes(code);
  if (style.modules === 'require') code = await useRequire(code, style);
  return useFormat(code, style.format);
}

/** `expect` of vitest is that of jest; node:test goes with the assertions of Node.js. */
function useRunner(text: string, { testRunner, hasGlobals }: CodeStyle): string {
  if (testRunner === 'vitest' || !text.includes("from 'vitest'")) return text;
  if (testRunner === 'jest') {
    return hasGlobals ? text.replace(/import .* from 'vitest';\n/, '') : text.replace("'vitest'", "'@jest/globals'");
  }
  const [, names = ''] = /import \{ (.*) \} from 'vitest';/.exec(text) ?? [];
  const others = names.split(', ').filter((name) => name !== 'expect');
  const nodeTest = `import { ${others.join(', ')} } from 'node:test';`;
  const assert = names.includes('expect') ? "import * as assert from 'node:assert/strict';\n" : '';
  return text
    .replace(/import \{ .* \} from 'vitest';/, nodeTest)
    .replace(/^import /m, `${assert}import `)
    .replace(/\bexpect\((.*)\)\.toBe\((.*)\);$/gm, 'assert.equal($1, $2);')
    .replace(/\bexpect\((.*)\)\.toEqual\((.*)\);$/gm, 'assert.deepEqual($1, $2);');
}

function useBrackets(text: string): string {
  return text.replace(/\b(event\.data|data|process\.env)\.([A-Za-z_]\w*)/g, "$1['$2']");
}

/** CommonJS as the compiler takes it when it may not change the syntax of modules, or as Node.js runs it. */
async function useRequire(text: string, { language }: CodeStyle): Promise<string> {
  const { tree } = await parseWithTypes(text);
  const isScript = language === 'javascript';
  const names: string[] = [];
  const edits: Edit[] = [];
  const imports = (tree.body as Node[]).filter(({ type }) => type === 'ImportDeclaration');
  for (const node of imports) {
    if (node.importKind === 'type') continue;
    edits.push({ start: node.start, end: node.end, text: requireLine(node, isScript, names) });
  }
  const last = imports.at(-1)?.end ?? 0;
  if (names.length > 0) edits.push({ start: last, end: last, text: `\n\n${names.join('\n')}` });
  for (const node of (tree.body as Node[]).filter(({ type }) => type === 'ExportDefaultDeclaration')) {
    edits.push({ start: node.start, end: node.declaration.start, text: isScript ? 'module.exports = ' : 'export = ' });
  }
  return applyEdits(text, edits);
}

/** @param names gets a line for the named imports of TypeScript, which cannot be in the same statement */
function requireLine({ specifiers, source }: Node, isScript: boolean, names: string[]): string {
  const from = `require('${source.value}')`;
  const values = (specifiers as Node[]).filter(({ importKind }) => importKind !== 'type');
  const types = (specifiers as Node[]).filter(({ importKind }) => importKind === 'type');
  const named = values.filter(({ type }) => type === 'ImportSpecifier').map(({ imported }) => imported.name as string);
  const [other] = values.filter(({ type }) => type !== 'ImportSpecifier').map(({ local }) => local.name as string);
  if (isScript) return other === undefined ? `const { ${named.join(', ')} } = ${from};` : `const ${other} = ${from};`;
  const typeNames = types.map(({ imported }) => imported.name).join(', ');
  const typeLine = types.length === 0 ? '' : `\nimport type { ${typeNames} } from '${source.value}';`;
  const module = other ?? moduleName(source.value);
  if (named.length > 0) names.push(`const { ${named.join(', ')} } = ${module};`);
  return `import ${module} = ${from};${typeLine}`;
}

/** `evstore/testing` → `testing`, `node:test` → `nodeTest`. */
function moduleName(source: string): string {
  if (source === 'node:test') return 'nodeTest';
  return source.replace(/^.*[/:]/, '').replace(/-\w/g, (letter) => letter.slice(1).toUpperCase());
}

async function useFormat(text: string, { indent, quote, semicolons }: Format): Promise<string> {
  const own = templateStyle.format;
  if (indent === own.indent && quote === own.quote && semicolons === own.semicolons) return text;
  const { tokens } = await parseWithTypes(text);
  const edits: Edit[] = [];
  const inTemplate = (place: number) =>
    tokens.some(({ label, start, end }) => label === 'template' && start < place && place <= end);
  for (const [at, { label, start, end }] of tokens.entries()) {
    const written = text.slice(start, end);
    if (label === 'string' && quote === '"' && written.startsWith("'") && !written.includes('"')) {
      edits.push({ start, end, text: `"${written.slice(1, -1).replaceAll("\\'", "'")}"` });
    }
    if (semicolons || label !== ';' || !/^(?:\n|$)/.test(text.slice(end))) continue;
    const next = tokens[at + 1];
    const first = next === undefined ? '' : text.charAt(next.start);
    // The next line would continue this one.
    if (!/[([`/+*-]/.test(first)) edits.push({ start, end, text: '' });
  }
  for (const { index, 0: spaces } of indent === own.indent ? [] : text.matchAll(/^ +/gm)) {
    if (inTemplate(index)) continue;
    const levels = Math.floor(spaces.length / own.indent.length);
    const rest = ' '.repeat(spaces.length % own.indent.length);
    edits.push({ start: index, end: index + spaces.length, text: indent.repeat(levels) + rest });
  }
  return applyEdits(text, edits);
}
