/** Turns a template and names into the files to write. Pure. */
import type { ColumnType } from '../domain/read-model.js';
import { columnProperty, type Spellings, spellName } from './names.js';
import type { Template } from './templates.js';

/** A field of an event's data, and the column it becomes. */
export interface Field {
  /** Property of the row and of the data. */
  readonly name: string;
  readonly type: ColumnType;
  /** A sample value as TypeScript, for the test. */
  readonly sample: string;
}

export interface ScaffoldRequest {
  readonly template: Template;
  readonly name: Spellings;
  /** The user's event types; undefined keeps the template's, with its fields. */
  readonly events: readonly string[] | undefined;
  /** The fields of the first event's data. */
  readonly fields: readonly Field[];
}

export interface TemplateText {
  readonly code: string;
  readonly test: string;
}

export interface PlannedFile {
  /** `order-summary.ts`, in the folder of generated code. */
  readonly name: string;
  readonly content: string;
}

export function planScaffold(request: ScaffoldRequest, text: TemplateText): readonly PlannedFile[] {
  const { kebab } = request.name;
  return [
    { name: `${kebab}.ts`, content: respell(request, text.code) },
    { name: `${kebab}.test.ts`, content: respell(request, text.test) },
  ];
}

function respell(request: ScaffoldRequest, text: string): string {
  const { template, events, fields } = request;
  if (events === undefined) return spellLines(request, text, new Map());
  const [first = '', ...later] = events;
  const [templateFirst = '', ...templateLater] = template.events;
  const lines = repeatRuns(text.split('\n'), templateLater, later, eventLine).join('\n');
  const withFields = repeatRuns(lines.split('\n'), template.fields, fields, fieldLine).join('\n');
  const spellings = eventSpellings(templateFirst, first);
  const starters = events.map((type) => `'${type}'`).join(', ');
  if (events.length > 1) spellings.set(`startOn: '${templateFirst}'`, `startOn: [${starters}]`);
  return spellLines(request, withFields, spellings);
}

/** Replaces consecutive lines that each name one of `from` by a line for each of `to`, made from the first of them. */
function repeatRuns<T>(
  lines: readonly string[],
  from: readonly string[],
  to: readonly T[],
  make: (line: string, name: string, item: T) => string,
): readonly string[] {
  const made: string[] = [];
  let inRun = false;
  for (const line of lines) {
    const name = from.find((each) => names(line, each));
    if (name === undefined) made.push(line);
    else if (!inRun) made.push(...to.map((item) => make(line, name, item)));
    inRun = name !== undefined;
  }
  return made;
}

/** Matches the name as a word, in any of its spellings. */
function names(line: string, name: string): boolean {
  return new RegExp(`\\b(?:${name}|${columnProperty(name)})\\b(?!')|'${name}'`).test(line);
}

function eventLine(line: string, from: string, to: string): string {
  return replaceWords(line, eventSpellings(from, to));
}

/** Respells a line for another field: `total: 'bigint',`, `total: event.data.total,` or `total: 4200,`. */
function fieldLine(line: string, from: string, { name, type, sample }: Field): string {
  const indent = line.slice(0, line.search(/\S/));
  if (line.includes(`data.${from}`)) return `${indent}${name}: event.data.${name},`;
  const isColumn = /: '(?:text|integer|bigint|real|numeric|boolean|json|timestamp|uuid)',$/.test(line);
  return `${indent}${name}: ${isColumn ? `'${type}'` : sample},`;
}

function eventSpellings(from: string, to: string): Map<string, string> {
  const key = /^[A-Za-z][A-Za-z0-9_]*$/.test(to) ? to : `'${to}'`;
  return new Map([
    [`'${from}'`, `'${to}'`],
    [`${from}:`, `${key}:`],
    [columnProperty(from), columnProperty(to)],
  ]);
}

function spellLines({ template, name }: ScaffoldRequest, text: string, events: Map<string, string>): string {
  const from = spellName(template.name);
  const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
  const spellings = new Map([
    ...events,
    [from.kebab, name.kebab],
    [from.camel, name.camel],
    [from.snake, name.snake],
    [sentence(from.words), sentence(name.words)],
  ]);
  return replaceWords(text, spellings);
}

/** Replaces in one pass, so that inserted text is not replaced again. */
function replaceWords(text: string, spellings: ReadonlyMap<string, string>): string {
  const words = [...spellings.keys()].sort((a, b) => b.length - a.length);
  const pattern = words.map((word) => word.replace(/[.*+?^$()|[\]\\{}]/g, '\\$&')).join('|');
  return text.replace(
    new RegExp(`(?<![A-Za-z0-9])(?:${pattern})(?![a-z0-9])`, 'g'),
    (word) => spellings.get(word) ?? word,
  );
}
