/** Turns a template and names into the files to write. Pure. */
import type { ColumnType } from '../domain/read-model.js';
import { capitalise, columnProperty, type Spellings, spellName, spellStep } from './names.js';
import type { TestRunner } from './project.js';
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
  /** Where the files are to be written, relative to the working directory. */
  readonly folder: string;
  /** The user's event types; undefined keeps the template's, with its fields. */
  readonly events: readonly string[] | undefined;
  /** The fields of the first event's data. */
  readonly fields: readonly Field[];
  /** The category of the streams that have these events, if it is known. */
  readonly category?: string | undefined;
  /** The user's steps; undefined keeps the template's. */
  readonly steps?: readonly string[] | undefined;
  /** Default: vitest, as in the templates. */
  readonly testRunner?: TestRunner;
}

export interface TemplateFile {
  readonly name: string;
  readonly content: string;
}

export interface PlannedFile {
  /** `order-summary.ts`, in the folder of generated code. */
  readonly name: string;
  readonly content: string;
}

export function planScaffold(request: ScaffoldRequest, files: readonly TemplateFile[]): readonly PlannedFile[] {
  const { template, name } = request;
  const respelled = template.steps === undefined ? request : replaceSample(request);
  return files.map((file) => ({
    name: file.name.replace(template.name, name.kebab),
    content: respell(respelled, file.content),
  }));
}

/** If the user gives events or steps, nothing of the sample stays: what was not given gets neutral names. */
function replaceSample(request: ScaffoldRequest): ScaffoldRequest {
  const { events, steps, name, category } = request;
  if (events === undefined && steps === undefined) return request;
  return {
    ...request,
    events: events ?? [`${name.words.split(' ').map(capitalise).join('')}Requested`],
    steps: steps ?? ['first-step', 'second-step', 'third-step'],
    category: category !== undefined && /^[A-Za-z][A-Za-z0-9_]*$/.test(category) ? category : 'Sample',
  };
}

function respell(request: ScaffoldRequest, text: string): string {
  const { template, events, fields } = request;
  if (events === undefined) return spellLines(request, text, new Map());
  const [first = '', ...later] = events;
  const [templateFirst = '', ...templateLater] = template.events;
  const repeated = repeatRuns(text.split('\n'), [eventRule(templateLater, later)]);
  const lines = repeatRuns(repeated, [fieldRule(template.fields, fields), stepRule(template.steps, request.steps)]);
  const spellings = eventSpellings(templateFirst, first);
  const starters = events.map((type) => `'${type}'`).join(', ');
  if (events.length > 1) spellings.set(`startOn: '${templateFirst}'`, `startOn: [${starters}]`);
  if (template.steps !== undefined) spellings.set(`types: ['${templateFirst}']`, `types: [${starters}]`);
  return spellLines(request, lines.join('\n').replace(/\{\n *\}/g, '{}'), spellings);
}

/** Which lines are repeated. */
interface Rule {
  /** Returns which name of the template the line names; undefined for none. */
  readonly nameIn: (line: string) => string | undefined;
  /** Turns the lines that name one name into lines for each of the user's. */
  readonly make: (lines: readonly string[], name: string) => readonly string[];
}

function rule<T>(
  from: readonly string[],
  to: readonly T[],
  isIn: (line: string, name: string) => boolean,
  make: (line: string, name: string, item: T) => string,
): Rule {
  return {
    nameIn: (line) => from.find((name) => isIn(line, name)),
    make: (lines, name) => to.flatMap((item) => lines.map((line) => make(line, name, item))),
  };
}

const eventRule = (from: readonly string[], to: readonly string[]): Rule => rule(from, to, names, eventLine);

const fieldRule = (from: readonly string[], to: readonly Field[]): Rule =>
  // A field has one line, whatever else names it.
  ({ ...rule(from, to, names, fieldLine), make: ([line = ''], name) => to.map((item) => fieldLine(line, name, item)) });

function stepRule(from: readonly string[] = [], to: readonly string[] | undefined): Rule {
  return rule(to === undefined ? [] : from, to ?? [], namesStep, stepLine);
}

/**
 * Replaces consecutive lines that name names of one rule by lines for each of the user's, made from the lines of the first
 * name.
 */
function repeatRuns(lines: readonly string[], rules: readonly Rule[]): readonly string[] {
  const made: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const found = rules.find(({ nameIn }) => nameIn(line) !== undefined);
    const length = found === undefined ? 1 : countWhile(lines.slice(at), (each) => found.nameIn(each) !== undefined);
    const name = found?.nameIn(line);
    if (found === undefined || name === undefined) made.push(line);
    else {
      const run = lines.slice(at, at + length);
      made.push(
        ...found.make(
          run.slice(
            0,
            countWhile(run, (each) => found.nameIn(each) === name),
          ),
          name,
        ),
      );
    }
    at += length;
  }
  return made;
}

function countWhile(lines: readonly string[], holds: (line: string) => boolean): number {
  const end = lines.findIndex((line) => !holds(line));
  return end === -1 ? lines.length : end;
}

function namesStep(line: string, step: string): boolean {
  const { kebab, camel, undo } = spellStep(step);
  return new RegExp(`\\b(?:${kebab}|${camel}|${undo})\\b`).test(line);
}

function stepLine(line: string, from: string, to: string): string {
  const [old, wanted] = [spellStep(from), spellStep(to)];
  return replaceWords(
    line,
    new Map([
      [old.kebab, wanted.kebab],
      [old.camel, wanted.camel],
      [old.undo, wanted.undo],
    ]),
  );
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

function spellLines(request: ScaffoldRequest, text: string, events: Map<string, string>): string {
  const { template, name, folder, category, testRunner } = request;
  const from = spellName(template.name);
  const spellings = new Map([
    ...events,
    [`temporal/${from.kebab}`, folder.replaceAll('\\', '/')],
    [from.kebab, name.kebab],
    [from.camel, name.camel],
    [from.snake, name.snake],
    [capitalise(from.words), capitalise(name.words)],
  ]);
  if (template.steps !== undefined) {
    spellings.set(from.words, name.words);
    if (category !== undefined) for (const id of [1, 2]) spellings.set(`'Order-${id}'`, `'${category}-${id}'`);
    if (testRunner === 'node:test') {
      spellings.set("from 'vitest'", "from 'node:test'");
      spellings.set('npx vitest run', 'node --import tsx --test');
      spellings.set('tsx vitest', 'tsx');
    }
  }
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
