/**
 * Turns a template and names into the files to write. Pure. With the user's own event types, fields or steps, no word of the
 * sample stays: what they did not name gets a name made of theirs, or a neutral one.
 */

import { toSnakeCase } from '../domain/names.js';
import type { ColumnType } from '../domain/read-model.js';
import { sampleKey } from './key.js';
import {
  capitalise,
  columnProperty,
  guessCategory,
  isPlainCategory,
  pascalCase,
  type Spellings,
  spellName,
  spellStep,
} from './names.js';
import { type Lines, repeatRuns, replaceWords } from './respell.js';
import type { Template } from './templates.js';

/** A field of an event's data, and the column it becomes. */
export interface Field {
  /** Property of the row and of the data. */
  readonly name: string;
  readonly type: ColumnType;
  /** A sample value as TypeScript, for the test. */
  readonly sample: string;
}

/** The sample data of an event. */
export interface SampleData {
  /** The schema version of this data. */
  readonly version: number;
  /** The members, with a value as TypeScript. */
  readonly members: readonly (readonly [name: string, value: string])[];
}

export interface ScaffoldRequest {
  readonly template: Template;
  readonly name: Spellings;
  /** The user's event types; undefined keeps the template's, with its fields. */
  readonly events: readonly string[] | undefined;
  /** The fields of the first event's data. */
  readonly fields: readonly Field[];
  /** The user's steps; undefined keeps the template's, or with event types of their own makes three with neutral names. */
  readonly steps?: readonly string[] | undefined;
  /** The category of the streams that have these events, if it is known. */
  readonly category?: string | undefined;
  /** Event type → complete data, as the compiler wants it where the types of the store are declared. */
  readonly samples?: ReadonlyMap<string, SampleData> | undefined;
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

/** Returns the template and the names to use. If the user gave any name, no name of the sample is used. */
export function withOwnNames(request: ScaffoldRequest): ScaffoldRequest {
  const { events, steps, name } = request;
  if (events === undefined && steps === undefined) return request;
  const template = request.template.own ?? request.template;
  return {
    ...request,
    template,
    events: events ?? [`${pascalCase(name.snake)}Requested`],
    steps: template.steps === undefined ? undefined : (steps ?? ['first-step', 'second-step', 'third-step']),
  };
}

/** @param request with `withOwnNames` */
export function planScaffold(request: ScaffoldRequest, files: readonly TemplateFile[]): readonly PlannedFile[] {
  const { template, name } = request;
  return files.map((file) => ({
    name: file.name.replace(template.name, name.kebab),
    content: respell(request, file.content),
  }));
}

function respell(request: ScaffoldRequest, text: string): string {
  const { template, events, fields, steps } = request;
  if (events === undefined) return replaceWords(text, nameSpellings(request));
  const [first = '', ...later] = events;
  const [templateFirst = '', ...templateLater] = template.events;
  const data = request.samples?.get(first)?.members ?? fields.map(({ name, sample }) => [name, sample] as const);
  const whole = steps === undefined ? text : repeatSteps(text, template.steps ?? [], steps);
  // A list has a line for itself, which is not repeated.
  const lists = [', ', ' | '].map((separator, at) => {
    return { from: quoteAll(template.events, separator), to: quoteAll(events, separator), mark: `\u0000${at}\u0000` };
  });
  const listed = template.events.length < 2 ? [] : lists;
  const marked = listed.reduce((kept, { from, mark }) => kept.replaceAll(from, mark), whole);
  const lines = repeatRuns(marked.split('\n'), [
    {
      names: templateLater,
      isIn: namesEvent,
      make: ([line = '']: Lines, from) => later.map((type) => replaceWords(line, eventSpellings(from, type))),
    },
    {
      names: template.fields,
      isIn: namesEvent,
      // A field has one line, whatever else names it.
      make: ([line = '']: Lines, from, before) =>
        /given\(.*\{$/.test(before)
          ? data.map(([name, value]) => `${indentOf(line)}${sampleKey(name)}: ${value},`)
          : fields.map((field) => fieldLine(line, from, field)),
    },
  ]);
  const spellings = new Map([
    ...eventSpellings(templateFirst, first),
    ...categorySpellings(request),
    ...nameSpellings(request),
  ]);
  if (events.length > 1) {
    for (const member of ['startOn', 'on']) {
      spellings.set(`${member}: '${templateFirst}'`, `${member}: [${quoteAll(events, ', ')}]`);
    }
  }
  const respelled = replaceWords(lines.join('\n').replace(/\{\n *\}/g, '{}'), spellings);
  const version = versionArgument(request.samples?.get(first));
  const versioned = respelled.replace(
    /^(const first = given\([\s\S]*?\n\})\);$/m,
    (_all, start) => `${start}${version});`,
  );
  const filled = versioned.split('\n').map((line) => fillSample(line, request.samples));
  return listed.reduce((kept, { to, mark }) => kept.replaceAll(mark, to), filled.join('\n'));
}

function quoteAll(names: readonly string[], separator: string): string {
  return names.map((name) => `'${name}'`).join(separator);
}

/** Makes the calls of `.step`, and the list of the steps, from those of the template. */
function repeatSteps(text: string, from: readonly string[], to: readonly string[]): string {
  const [templateFirst = ''] = from;
  const old = spellStep(templateFirst);
  const block = /^ {2}\.step\((?:.*\n)*? {2}\}\)/m.exec(text)?.[0] ?? '';
  const calls = to.map((step) => {
    const { kebab, camel } = spellStep(step);
    return replaceWords(block, new Map([[old.kebab, kebab]])).replaceAll(capitalise(old.camel), capitalise(camel));
  });
  const names = to.map((step) => spellStep(step).kebab);
  return text
    .replace(/^(?: {2}\.step\((?:.*\n)*? {2}\}\)\n?)+/m, () => calls.join('\n'))
    .replace(quoteAll(from, ', '), () => quoteAll(names, ', '));
}

/** Matches the name as a word, in any of its spellings. */
export function namesEvent(line: string, name: string): boolean {
  return new RegExp(`\\b(?:${name}|${columnProperty(name)})\\b(?!')|'${name}'`).test(line);
}

/** Version 1 is the default of a test's event. */
function versionArgument(sample: SampleData | undefined): string {
  return sample === undefined || sample.version === 1 ? '' : `, { schemaVersion: ${sample.version} }`;
}

const maxLineLength = 120;

/** Gives an event of a test the sample data of its type, or none. */
function fillSample(line: string, samples: ScaffoldRequest['samples']): string {
  const [all, start = '', type = ''] = /^(.*\bgiven\('[^']*', '([^']*)', )\{[^{}]*\}/.exec(line) ?? [];
  if (all === undefined) return line;
  const members = (samples?.get(type)?.members ?? []).map(([name, value]) => `${sampleKey(name)}: ${value}`);
  const rest = line
    .slice(all.length)
    .replace(/^(?=\))/, () => versionArgument(samples?.get(type)))
    .replace(/^, \{ (?=createdAt)/, (start) => versionArgument(samples?.get(type)).replace(' }', ', ') || start);
  const filled = `${start}${members.length === 0 ? '{}' : `{ ${members.join(', ')} }`}${rest}`;
  if (filled.length <= maxLineLength) return filled;
  const indent = indentOf(line);
  return [`${start}{`, ...members.map((member) => `${indent}  ${member},`), `${indent}}${rest}`].join('\n');
}

/** Respells a line for another field: `total: 'bigint',`, `total: event.data.total,` or `total: 4200,`. */
export function fieldLine(line: string, from: string, { name, type, sample }: Field): string {
  const indent = indentOf(line);
  if (line.includes(`data.${from}`)) return `${indent}${name}: event.data.${name},`;
  const isColumn = /: '(?:text|integer|bigint|real|numeric|boolean|json|timestamp|uuid)',$/.test(line);
  return `${indent}${name}: ${isColumn ? `'${type}'` : sample},`;
}

function indentOf(line: string): string {
  return line.slice(0, line.search(/\S/));
}

export function eventSpellings(from: string, to: string): Map<string, string> {
  return new Map([
    [`'${from}'`, `'${to}'`],
    [`${from}:`, `${sampleKey(to)}:`],
    [columnProperty(from), columnProperty(to)],
  ]);
}

/** The streams of the sample, and the columns that are named after the second category. */
function categorySpellings({ template, name, events = [], category }: ScaffoldRequest): Map<string, string> {
  const [from, fromOther] = template.categories;
  const [first = '', ...later] = events;
  const common = template.categories.length === 1 ? events : [first];
  const known = category !== undefined && isPlainCategory(category) ? category : undefined;
  const to = known ?? guessCategory(common) ?? pascalCase(name.snake);
  const spellings = new Map(['', '-1', '-2', '-3'].map((id) => [`'${from}${id}'`, `'${to}${id}'`]));
  if (fromOther === undefined) return spellings;
  const guessed = guessCategory(later);
  const isFree = guessed !== undefined && guessed !== to && guessed !== 'Stream';
  const other = isFree ? guessed : 'Related';
  const [oldSnake, newSnake] = [toSnakeCase(fromOther), toSnakeCase(other)];
  const camel = columnProperty(other);
  return spellings
    .set(`'${fromOther}-7'`, `'${other}-7'`)
    .set(`${oldSnake}_id`, `${newSnake}_id`)
    .set(`${oldSnake}_name`, `${newSnake}_name`)
    .set(`${oldSnake}Id`, `${camel}Id`)
    .set(`the ${oldSnake}`, isFree ? `the ${newSnake.replaceAll('_', ' ')}` : 'the other stream');
}

function nameSpellings({ template, name }: ScaffoldRequest): Map<string, string> {
  const from = spellName(template.name);
  return new Map([
    [from.kebab, name.kebab],
    [from.camel, name.camel],
    [from.snake, name.snake],
    [capitalise(from.words), capitalise(name.words)],
  ]);
}
