/** Reads a template from the package. */
import { existsSync, readFileSync } from 'node:fs';
import { EvstoreError } from '../domain/errors.js';
import type { TemplateText } from './plan.js';
import type { Template } from './templates.js';

/** Two folders up in the working tree, three from `dist`. */
const places = ['../../templates/', '../../../templates/'];

export function readTemplate({ folder, name }: Template): TemplateText {
  const file = `${folder}/${name}`;
  const place = places
    .map((each) => new URL(each, import.meta.url))
    .find((url) => existsSync(new URL(`${file}.ts`, url)));
  if (place === undefined) throw new EvstoreError('E_BUG', `the template ${file} is not in the package`);
  return {
    code: readFileSync(new URL(`${file}.ts`, place), 'utf8'),
    test: readFileSync(new URL(`${file}.test.ts`, place), 'utf8'),
  };
}
