/** Generates code: checks the names, plans the files in the style of the project and, when told to, writes them. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import { toSnakeCase } from '../domain/names.js';
import { columnProperty, type Spellings, spellName, spellStep, wrongName } from './names.js';
import { type Field, type PlannedFile, planScaffold, type SampleData, withOwnNames } from './plan.js';
import { planTemporal } from './plan-temporal.js';
import { type ModuleProject, readModuleProject } from './project.js';
import { readTemplate } from './read-template.js';
import { renderCode } from './render.js';
import { type CodeStyle, templateStyle } from './style.js';
import { projectionTemplates, type Template } from './templates.js';
import { checkTargets, writeFiles } from './write.js';

export interface Scaffold {
  readonly template: Template;
  readonly name: string;
  readonly events: readonly string[] | undefined;
  readonly fields: readonly Field[];
  /** The names of the steps of a saga. */
  readonly steps?: readonly string[] | undefined;
  /** The category of the streams that have these events, if it is known. */
  readonly category?: string | undefined;
  /** Event type → complete data for the test, if it is known. */
  readonly samples?: ReadonlyMap<string, SampleData> | undefined;
  /** How the code is written. Default: as the templates. */
  readonly style?: CodeStyle;
  /** Absolute. Nothing is written outside it. */
  readonly root: string;
  /** Relative to `root`, and below it. */
  readonly folder: string;
  readonly force: boolean;
}

export interface Scaffolded {
  /** The name of the projection or saga. */
  readonly name: string;
  /** The code, then its test. */
  readonly files: readonly ScaffoldedFile[];
  /** The project that the files are for; null for a kind that suits every project. */
  readonly project: ModuleProject | null;
  /** @throws E_OUTPUT when a write fails; then no file is left behind */
  readonly write: () => void;
}

export interface ScaffoldedFile {
  /** Relative to `root`. */
  readonly path: string;
  readonly content: string;
  /** What it replaces; null where there is no file. */
  readonly before: string | null;
}

/**
 * Writes nothing until it is told to.
 * @throws E_USAGE for a name, an event type or a path that cannot be used
 */
export async function scaffold(request: Scaffold): Promise<Scaffolded> {
  const { template, events, steps, root } = request;
  const name = spellName(request.name);
  if (template.identifiers?.includes(name.camel)) {
    throw wrongName(request.name, 'The generated code uses this word already.');
  }
  if (events !== undefined) checkEvents(template, events);
  if (steps !== undefined) checkSteps(template, steps);
  const isFolder = template.files !== undefined;
  const project = isFolder ? readModuleProject(resolve(root, request.folder)) : null;
  const folder = isFolder ? join(request.folder, name.kebab) : request.folder;
  const place = { ...request, folder };
  const files =
    project === null
      ? await planCode(request, name)
      : planTemporal({ ...place, name, testRunner: project.testRunner }, readTemplate(template));
  const paths = checkTargets(files, place);
  return {
    name: name.snake,
    files: files.map(({ content }, at) => {
      const path = paths[at] ?? '';
      return { path, content, before: readExisting(join(root, path)) };
    }),
    project,
    write: () => writeFiles(files, place),
  };
}

async function planCode(request: Scaffold, name: Spellings): Promise<readonly PlannedFile[]> {
  const { style = templateStyle } = request;
  const plan = withOwnNames({ ...request, name });
  const files: PlannedFile[] = [];
  for (const file of planScaffold(plan, readTemplate(plan.template))) {
    const content = await renderCode(file.content, style);
    files.push({ name: file.name.replace(/\.ts$/, `.${style.extension}`), content });
  }
  return files;
}

function readExisting(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function checkSteps(template: Template, steps: readonly string[]): void {
  if (template.folder !== 'saga' && template.folder !== 'temporal') {
    throw new EvstoreError('E_USAGE', 'only a saga has steps', {
      next: 'evstore scaffold saga --help',
    });
  }
  const taken = new Set<string>();
  for (const step of steps) {
    const { kebab, camel, undo } = spellStep(step);
    if (kebab.startsWith('undo-')) {
      throw new EvstoreError('E_USAGE', `the step ${step} has the name of a compensation`, {
        why: 'Each step gets a compensation, whose name is undo and the name of the step.',
      });
    }
    if (taken.has(camel)) {
      throw new EvstoreError('E_USAGE', `the step ${step} is there twice`, {
        why: `It becomes the functions ${camel} and ${undo}.`,
      });
    }
    taken.add(camel);
  }
}

function checkEvents(template: Template, events: readonly string[]): void {
  if (template === projectionTemplates.join && events.length < 2) {
    throw new EvstoreError('E_USAGE', 'a join needs at least two event types', {
      why: 'The first type refers to another stream, which has the other types.',
      next: 'evstore scaffold projection order-customers --kind join --events OrderPlaced,CustomerRegistered',
    });
  }
  if (template.takesOneEvent === true && events.length > 1) {
    throw new EvstoreError('E_USAGE', `an ${template.folder} is for one event type`, {
      why: 'Each type has schema versions of its own.',
      next: `evstore scaffold ${template.folder} --help`,
    });
  }
  if (template !== projectionTemplates.aggregates) return;
  const columns = new Set(['day', 'events']);
  for (const type of events) {
    const column = columnProperty(type);
    if (!columns.has(column) && toSnakeCase(type).length <= 63) columns.add(column);
    else
      throw new EvstoreError('E_USAGE', `the event type ${type} cannot have its own column`, {
        why: `Its column would be ${toSnakeCase(type)}, which is taken or longer than 63 characters.`,
      });
  }
}
