/** Phrases that make readers stumble are refused in documentation, help, errors and templates, each with what to write instead. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type CommandName, catalog } from '../../commands/catalog.js';
import type { Command } from '../../commands/options/command.js';
import { loaders } from '../../commands/program/loaders.js';
import { runCli } from '../support/cli.js';

const root = resolve(import.meta.dirname, '../..');

const refused: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\banew\b/i, instead: 'Write "rebuild", "recompute" or "recreate".' },
  { pattern: /\bwhoever\b/i, instead: 'Name the one who acts: "the program that …".' },
  { pattern: /\b(?:no|some)body\b/i, instead: 'Name the one who acts: "no runner", "another process".' },
  { pattern: /\b(?:goes|go|going|went) on\b(?! to\b)/i, instead: 'Write "continue" or "resume".' },
  { pattern: /\bgiven (?:up|out|away)\b/i, instead: 'Write "abandoned", "assigned" or "released".' },
  { pattern: /\b(?:is|are|was|were) to (?!(?:the|an?|this|that|its?|one|each)\b)[a-z]+/i, instead: 'Write "must".' },
  { pattern: /(?<!\bthere )\b(?:is|are) no (?!longer|more|less)[a-z]+/i, instead: 'Write "is not a …".' },
  { pattern: /\bso (?:often|long)\b(?! as\b)/i, instead: 'Write "this many times" or "this long".' },
  { pattern: /\b(?:stands?|stood)\b(?! (?:by|for)\b)/i, instead: 'Write "is at", "is in" or "is stored in".' },
  { pattern: /\bbesides?\b/i, instead: 'Write "alongside", "next to" or "in addition to".' },
  { pattern: /\banother try\b/i, instead: 'Write "retry".' },
  { pattern: /\b(?:put|puts|set|left) (?:\w+ )?aside\b/i, instead: 'Write "parked".' },
  { pattern: /\bin (?:the|its|their) place\b/i, instead: 'Write "swap", "replace" or "in the live table".' },
  { pattern: /\bcould not be had\b/i, instead: 'Write "could not be obtained".' },
  {
    pattern: /\b(?:is|are|made|stays?) whole\b(?! number)|\bwhole again\b/i,
    instead: 'Write "intact", "valid" or "undivided".',
  },
  { pattern: /\bown say\b/i, instead: 'Say it literally.' },
  { pattern: /(?:^|[.!?] )Of (?:other|the|every|all|an?|its)\b/m, instead: 'Begin with the subject.' },
  { pattern: /\botherwise(?=[.;:)]|$)/im, instead: 'Write "differently", or begin with "if not".' },
];

/** The phrases of a text that are refused, each with what to write instead. */
function findPhrases(text: string): string[] {
  return refused.flatMap(({ pattern, instead }) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`"${around(text, found.index)}": ${instead}`];
  });
}

function around(text: string, index: number): string {
  return text.slice(Math.max(0, index - 40), index + 40).replaceAll('\n', ' ');
}

function listFiles(folder: string, suffix: string): string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith(suffix)).map((file) => join(folder, file));
}

const pages = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...listFiles('docs', '.md'),
  'bench/README.md',
];

test.each(pages)('%s is in plain English', (page) => expect(phrasesOfPage(page)).toEqual([]));

/** Of its prose: code is left out, and lines that belong together are joined. */
function phrasesOfPage(page: string): string[] {
  const prose = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```|`[^`\n]*`/g, '`code`');
  return prose.split(/\n{2,}/).flatMap((paragraph) => findPhrases(paragraph.replaceAll('\n', ' ')));
}

test('a cell of a table holds one figure', () => {
  const cells = pages.flatMap((page) => {
    const rows = readFileSync(join(root, page), 'utf8').match(/^\|.*\|$/gm) ?? [];
    return rows.flatMap((row) => row.split('|').map((cell) => cell.trim()));
  });
  expect(cells.length).toBeGreaterThan(100);
  expect(cells.filter((cell) => /^[\d.,]+(?:[,;]| \/) [\d.]/.test(cell))).toEqual([]);
});

const commands = await Promise.all(Object.values(loaders).map(async (load) => (await load()).command));

test.each(commands.flatMap((command) => pathsOf(command)))('the help of $name', async (path) => {
  const { stdout } = await runCli([...path.name.split(' '), '--help']);
  expect(findPhrases(stdout.replace(/\s+/g, ' '))).toEqual([]);
  const summary = path.command.summary ?? catalog[path.name as CommandName].summary;
  expect(summary).not.toMatch(/^(?:what|whether|where|which|how|when|the|an?|its)\b/i);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(78);
  for (const { line } of path.command.examples) expect(stdout).toContain(`  $ ${line}\n`);
});

function pathsOf(command: Command, parent = ''): { name: string; command: Command }[] {
  const name = `${parent}${command.usage.split(' ')[0]}`;
  return [{ name, command }, ...(command.subcommands ?? []).flatMap((child) => pathsOf(child, `${name} `))];
}

/** Comments and regular expressions, or string literals: the scan needs both to tell one from the other. */
const token =
  /(\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*|(?<=[(=,:[!&|?{};]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/)|('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)/g;

function phrasesOfProgram(file: string): string[] {
  const texts = [...readFileSync(join(root, file), 'utf8').matchAll(token)].flatMap(([, , text]) => text ?? []);
  const sentences = texts.filter((text) => /[a-z] [a-z]/i.test(text));
  return sentences.flatMap((text) => findPhrases(text.replace(/\$\{[^}]*\}/g, 'X')));
}

const modules = [...listFiles('src', '.ts'), ...listFiles('commands', '.ts')];

test('the errors, notes and reports of the program are in plain English', () => {
  expect(modules.length).toBeGreaterThan(100);
  expect(modules.flatMap(phrasesOfProgram)).toEqual([]);
});

test('the comments and test names of the templates are in plain English', () => {
  const files = listFiles('templates', '.ts');
  expect(files.length).toBeGreaterThan(5);
  expect(files.flatMap((file) => findPhrases(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

test('each refused phrase is found, and plain ones are not', () => {
  const stumbles = [
    'made anew',
    'whoever reads it',
    'nobody is here',
    'the runner goes on',
    'a lease was given up',
    'a checkpoint is to move',
    'it is no folder',
    'tried so often',
    'where it stands',
    'beside the live table',
    'another try',
    'events put aside',
    'in its place',
    'a lock could not be had',
    'the log is whole',
    'it has its own say',
    'Of other projections, two fail',
    'it cannot be divided otherwise',
  ];
  expect(stumbles.map((text) => findPhrases(text)).every((found) => found.length === 1)).toBe(true);
  expect(stumbles.length).toBe(refused.length);
  for (const plain of [
    'there is no stream',
    'as long as it stands by',
    'it is no longer needed',
    'they are whole numbers',
    'goes on to read',
  ]) {
    expect(findPhrases(plain)).toEqual([]);
  }
});
