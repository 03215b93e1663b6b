/** Generates code: checks the names, plans the files and, except in a dry run, writes them. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import { toSnakeCase } from '../domain/names.js';
import { columnProperty, spellName, spellStep, wrongName } from './names.js';
import { type Field, type PlannedFile, planScaffold } from './plan.js';
import { type Project, readModuleProject } from './project.js';
import { readTemplate } from './read-template.js';
import { projectionTemplates, sagaTemplates, type Template } from './templates.js';
import { checkTargets, writeFiles } from './write.js';

export interface Scaffold {
  readonly template: Template;
  readonly name: string;
  readonly events: readonly string[] | undefined;
  readonly fields: readonly Field[];
  /** The category of the streams that have these events, if it is known. */
  readonly category?: string | undefined;
  /** The names of the steps; undefined keeps the template's. */
  readonly steps?: readonly string[] | undefined;
  /** Absolute. Nothing is written outside it. */
  readonly root: string;
  /** Relative to `root`, and below it. */
  readonly folder: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

export interface ScaffoldReport {
  /** The name of the projection or saga. */
  readonly name: string;
  readonly files: readonly ScaffoldedFile[];
  /** The project the files are for; null for a kind that suits every project. */
  readonly project: Project | null;
  readonly dryRun: boolean;
}

interface ScaffoldedFile {
  /** Relative to the working directory. */
  readonly path: string;
  readonly content: string;
  /** What it replaces; null where there is no file. */
  readonly before: string | null;
}

/** @throws E_USAGE for a name, an event type or a path that cannot be used */
export function scaffold(request: Scaffold): ScaffoldReport {
  const { template, events, steps, root, dryRun } = request;
  const name = spellName(request.name);
  if (template.identifiers?.includes(name.camel)) {
    throw wrongName(request.name, 'The generated code uses this word already.');
  }
  if (events !== undefined) checkEvents(template, events);
  if (steps !== undefined) checkSteps(template, steps);
  const project = template === sagaTemplates.temporal ? readModuleProject(resolve(root, request.folder)) : null;
  const folder = template.files === undefined ? request.folder : join(request.folder, name.kebab);
  const place = { ...request, folder };
  const plan = { ...place, name, ...(project !== null && { testRunner: project.testRunner }) };
  const files: readonly PlannedFile[] = planScaffold(plan, readTemplate(template));
  const paths = checkTargets(files, place);
  const before = paths.map((path) => readExisting(join(root, path)));
  if (!dryRun) writeFiles(files, place);
  return {
    name: name.snake,
    files: files.map(({ content }, at) => ({ path: paths[at] ?? '', content, before: before[at] ?? null })),
    project,
    dryRun,
  };
}

function readExisting(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function checkSteps(template: Template, steps: readonly string[]): void {
  if (template.steps === undefined) {
    throw new EvstoreError('E_USAGE', '--steps goes with --kind temporal', {
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
