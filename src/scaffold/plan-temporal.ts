/** Turns the template of a Temporal project, which has many files, into the files to write. Pure. */

import { capitalise, isPlainCategory, pascalCase, spellName, spellStep } from './names.js';
import {
  eventSpellings,
  fieldLine,
  namesEvent,
  type PlannedFile,
  type ScaffoldRequest,
  type TemplateFile,
} from './plan.js';
import type { ModuleTestRunner } from './project.js';
import { type Lines, repeatRuns, replaceWords } from './respell.js';

export interface TemporalRequest extends ScaffoldRequest {
  /** Where the files are to be written, relative to the working directory. */
  readonly folder: string;
  readonly testRunner: ModuleTestRunner;
}

export function planTemporal(request: TemporalRequest, files: readonly TemplateFile[]): readonly PlannedFile[] {
  const respelled = replaceSample(request);
  return files.map(({ name, content }) => ({ name, content: respell(respelled, content) }));
}

/** If the user gives events or steps, nothing of the sample stays: what was not given gets neutral names. */
function replaceSample(request: TemporalRequest): TemporalRequest {
  const { events, steps, name, category } = request;
  if (events === undefined && steps === undefined) return request;
  return {
    ...request,
    events: events ?? [`${pascalCase(name.snake)}Requested`],
    steps: steps ?? ['first-step', 'second-step', 'third-step'],
    category: category !== undefined && isPlainCategory(category) ? category : 'Sample',
  };
}

function respell(request: TemporalRequest, text: string): string {
  const { template, events, fields } = request;
  if (events === undefined) return spellLines(request, text, new Map());
  const [first = '', ...later] = events;
  const [templateFirst = '', ...templateLater] = template.events;
  const repeated = repeatRuns(text.split('\n'), [
    {
      names: templateLater,
      isIn: namesEvent,
      make: ([line = '']: Lines, from) => later.map((type) => replaceWords(line, eventSpellings(from, type))),
    },
  ]);
  const lines = repeatRuns(repeated, [
    {
      names: template.fields,
      isIn: namesEvent,
      // A field has one line, whatever else names it.
      make: ([line = '']: Lines, from) => fields.map((field) => fieldLine(line, from, field)),
    },
    {
      names: request.steps === undefined ? [] : (template.steps ?? []),
      isIn: namesStep,
      make: (run: Lines, from) =>
        (request.steps ?? []).flatMap((step) => run.map((line) => stepLine(line, from, step))),
    },
  ]);
  const spellings = eventSpellings(templateFirst, first);
  const starters = events.map((type) => `'${type}'`).join(', ');
  if (events.length > 1) spellings.set(`startOn: '${templateFirst}'`, `startOn: [${starters}]`);
  spellings.set(`types: ['${templateFirst}']`, `types: [${starters}]`);
  return spellLines(request, lines.join('\n').replace(/\{\n *\}/g, '{}'), spellings);
}

function namesStep(line: string, step: string): boolean {
  const { kebab, camel, undo } = spellStep(step);
  return new RegExp(`\\b(?:${kebab}|${camel}|${undo})\\b`).test(line);
}

function stepLine(line: string, from: string, to: string): string {
  const [old, wanted] = [spellStep(from), spellStep(to)];
  const keys = ['kebab', 'camel', 'undo'] as const;
  return replaceWords(line, new Map(keys.map((key) => [old[key], wanted[key]])));
}

function spellLines(request: TemporalRequest, text: string, events: Map<string, string>): string {
  const { template, name, folder, category, testRunner } = request;
  const from = spellName(template.name);
  const spellings = new Map([
    ...events,
    [`temporal/${from.kebab}`, folder.replaceAll('\\', '/')],
    [from.kebab, name.kebab],
    [from.camel, name.camel],
    [from.snake, name.snake],
    [capitalise(from.words), capitalise(name.words)],
    [from.words, name.words],
  ]);
  if (category !== undefined) for (const id of [1, 2]) spellings.set(`'Order-${id}'`, `'${category}-${id}'`);
  if (testRunner === 'node:test') {
    spellings.set("from 'vitest'", "from 'node:test'");
    spellings.set('npx vitest run', 'node --import tsx --test');
    spellings.set('tsx vitest', 'tsx');
  }
  return replaceWords(text, spellings);
}
