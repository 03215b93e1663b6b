/** Reads a template from the package. */
import { existsSync, readFileSync } from 'node:fs';
import { EvstoreError } from '../domain/errors.js';
import type { TemplateFile } from './plan.js';
import type { Template } from './templates.js';

/** Two folders up in the working tree, three from `dist`. */
const places = ['../../templates/', '../../../templates/'];

export function readTemplate(template: Template): readonly TemplateFile[] {
  const { folder, name, files = [`${name}.ts`, `${name}.test.ts`] } = template;
  const place = places
    .map((each) => new URL(`${each}${folder}/`, import.meta.url))
    .find((url) => existsSync(new URL(files[0] ?? '', url)));
  if (place === undefined) throw new EvstoreError('E_BUG', `the template ${folder}/${name} is not in the package`);
  return files.map((file) => ({ name: file, content: readFileSync(new URL(file, place), 'utf8') }));
}
