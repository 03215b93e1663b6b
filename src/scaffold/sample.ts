/** Makes data of a shape, as TypeScript, for the tests of generated code. No value of the store is in it but those of enums. */
import { toSnakeCase } from '../domain/names.js';
import type { Shape, StringShape, TypeShape } from '../inference/shape.js';
import { writeText } from '../inference/typescript.js';
import { sampleKey } from './key.js';
import type { SampleData } from './plan.js';

/** Returns data of the last schema version of each type. */
export function sampleData(shapes: readonly TypeShape[]): ReadonlyMap<string, SampleData> {
  return new Map(
    shapes.map(({ type, versions }) => {
      const last = versions.at(-1);
      const members = (last === undefined ? [] : membersOf(last.data)).map(
        ({ name, shape }) => [name, writeSample(shape, name)] as const,
      );
      return [type, { version: last?.version ?? 1, members }];
    }),
  );
}

/** @param name of the field, for a text that says what it is */
export function writeSample(shape: Shape, name: string): string {
  switch (shape.is) {
    case 'null':
      return 'null';
    case 'boolean':
      return 'true';
    case 'number':
    case 'bigint':
      return shape.whole === true || shape.is === 'bigint' ? '7' : '1.5';
    case 'string':
      return writeText(sampleText(shape, name));
    case 'array':
      return `[${writeSample(shape.items, name)}]`;
    case 'object': {
      const members = shape.members.map((each) => `${sampleKey(each.name)}: ${writeSample(each.shape, each.name)}`);
      return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
    }
    case 'union':
      return writeSample(shape.of.find(({ is }) => is !== 'null') ?? { is: 'null' }, name);
    default:
      return '{ any: [1] }';
  }
}

function membersOf(shape: Shape) {
  const object = (shape.is === 'union' ? shape.of : [shape]).find(({ is }) => is === 'object');
  return object?.is === 'object' ? object.members : [];
}

const formats: Readonly<Record<NonNullable<StringShape['format']>, string>> = {
  uuid: '0199c0de-0000-7000-8000-000000000001',
  time: '2026-01-01T00:00:00.000Z',
  date: '2026-01-01',
};

function sampleText({ format, values, some }: StringShape, name: string): string {
  if (format !== undefined) return formats[format];
  return values?.[0] ?? some?.[0] ?? `${toSnakeCase(name).replaceAll('_', ' ') || 'text'} 1`;
}
