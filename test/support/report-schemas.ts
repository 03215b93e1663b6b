/**
 * The schemas of schemas/, as they are shipped and closed: a closed one refuses members that it does not describe, so that
 * no schema can lag behind what is printed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const folder = resolve(import.meta.dirname, '../../schemas');

/** A part of a schema. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** A part of a schema, and where it is: `lag.json#/properties/head`. */
export interface Place {
  readonly place: string;
  readonly schema: Schema;
}

interface SchemaFile extends Schema {
  readonly $id: string;
  readonly $schema: string;
  readonly title: string;
}

/** All of them, by name: `lag`. */
export const schemas: Readonly<Record<string, SchemaFile>> = Object.fromEntries(
  readdirSync(folder).map((file) => [
    file.replace(/\.json$/, ''),
    JSON.parse(readFileSync(join(folder, file), 'utf8')),
  ]),
);

const shipped = compile(Object.entries(schemas));
const closed = compile(Object.entries(schemas).map(([name, schema]) => [name, close(schema)] as const));

function compile(all: readonly (readonly [name: string, schema: object])[]): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: true });
  formats.default(ajv);
  for (const [, schema] of all) ajv.addSchema(schema);
  return ajv;
}

/** Members that are described are the only ones, wherever any are. */
function close<Part extends Schema>(schema: Part): Part {
  const each = (parts: Readonly<Record<string, Schema>>) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, close(part)]));
  const { properties, additionalProperties, items, anyOf, $defs } = schema;
  return {
    ...schema,
    ...(properties !== undefined && { properties: each(properties), additionalProperties: false }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: close(additionalProperties) }),
    ...(items !== undefined && { items: close(items) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map(close) }),
    ...($defs !== undefined && { $defs: each($defs) }),
  };
}

function validatorOf(ajv: Ajv2020, place: string): ValidateFunction {
  const [file = '', pointer = ''] = place.split('#');
  const { $id = file } = schemas[file.replace(/\.json$/, '')] ?? {};
  const validate = ajv.getSchema(pointer === '' ? $id : `${$id}#${pointer}`);
  if (validate === undefined) throw new Error(`there is no schema ${place}`);
  return validate;
}

/** @throws with what does not fit, and the report */
export function assertFits(place: string, report: unknown, what: string): void {
  for (const ajv of [shipped, closed]) {
    const validate = validatorOf(ajv, place);
    if (validate(report)) continue;
    const text = JSON.stringify(report, null, 2).slice(0, 4_000);
    throw new Error(`${what} does not fit ${place}:\n${ajv.errorsText(validate.errors, { separator: '\n' })}\n${text}`);
  }
}

export function fitsShipped(place: string, report: unknown): boolean {
  return validatorOf(shipped, place)(report);
}

export function fitsClosed(place: string, report: unknown): boolean {
  return validatorOf(closed, place)(report);
}

/** Yields the parts of all schemas: each is a place of its own, also where a report has it by reference. */
export function* listPlaces(): Generator<Place> {
  for (const [name, schema] of Object.entries(schemas)) yield* listParts({ place: `${name}.json#`, schema });
}

function* listParts({ place, schema }: Place): Generator<Place> {
  yield { place, schema };
  const { properties = {}, additionalProperties, items, anyOf = [], $defs = {} } = schema;
  for (const [name, part] of Object.entries(properties)) yield* listParts(below(place, part, 'properties', name));
  for (const [name, part] of Object.entries($defs)) yield* listParts(below(place, part, '$defs', name));
  for (const [index, part] of anyOf.entries()) yield* listParts(below(place, part, 'anyOf', String(index)));
  if (typeof additionalProperties === 'object')
    yield* listParts(below(place, additionalProperties, 'additionalProperties'));
  if (items !== undefined) yield* listParts(below(place, items, 'items'));
}

function below(place: string, schema: Schema, ...path: readonly string[]): Place {
  return { place: `${place}/${path.map(toStep).join('/')}`, schema };
}

function toStep(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A value of a report, and a part of a schema that describes it. */
export interface Described extends Place {
  readonly value: unknown;
}

/** Yields each value of a report with every part of the schema that it fits, following references. */
export function* describeValues({ place, schema, value }: Described): Generator<Described> {
  yield { place, schema, value };
  const { $ref, properties = {}, additionalProperties, items, anyOf = [] } = schema;
  if ($ref !== undefined) yield* describeValues({ ...follow(place, $ref), value });
  for (const [index, part] of anyOf.entries()) {
    const branch = below(place, part, 'anyOf', String(index));
    if (fitsClosed(branch.place, value)) yield* describeValues({ ...branch, value });
  }
  if (Array.isArray(value) && items !== undefined) {
    for (const each of value) yield* describeValues({ ...below(place, items, 'items'), value: each });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [name, member] of Object.entries(value)) {
    const part = properties[name];
    if (part !== undefined) yield* describeValues({ ...below(place, part, 'properties', name), value: member });
    else if (typeof additionalProperties === 'object') {
      yield* describeValues({ ...below(place, additionalProperties, 'additionalProperties'), value: member });
    }
  }
}

/** @param place `lag` or `lag.json#/properties/head` */
export function at(place: string): Place {
  const [file = '', pointer = ''] = place.split('#');
  const name = file.replace(/\.json$/, '');
  let part: unknown = schemas[name];
  for (const step of pointer.split('/').slice(1)) {
    part = (part as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  if (part === undefined) throw new Error(`there is no schema ${place}`);
  return { place: `${name}.json#${pointer}`, schema: part as Schema };
}

export function follow(from: string, ref: string): Place {
  return at(ref.startsWith('#') ? from.replace(/#.*$/, ref) : ref);
}
