/** Compares a value with a shape. */
import type { ObjectShape, Shape, StringShape } from './shape.js';
import { hasFormat } from './string-sighting.js';

export interface Misfit {
  readonly kind: 'new-field' | 'missing-field' | 'changed-field';
  /** `data.lines[].price`. */
  readonly place: string;
  /** A sentence without its subject: `is null, and was never null`. */
  readonly detail: string;
}

/** Returns the places where a value does not fit, each once; at most so many. */
export function findMisfits(shape: Shape, value: unknown, most = 20): readonly Misfit[] {
  const found = new Map<string, Misfit>();
  compare(shape, value, 'data', (misfit) => {
    const key = `${misfit.kind} ${misfit.place} ${misfit.detail}`;
    if (found.size < most) found.set(key, misfit);
    return found.size < most;
  });
  return [...found.values()];
}

/** @returns false when no more are wanted */
type Tell = (misfit: Misfit) => boolean;

function compare(shape: Shape, value: unknown, place: string, tell: Tell): boolean {
  const fitting = alternatives(shape).find((each) => isOfKind(each, value));
  if (fitting === undefined) {
    return tell({
      kind: 'changed-field',
      place,
      detail: `is ${describe(value)}, and was always ${describeShape(shape)}`,
    });
  }
  switch (fitting.is) {
    case 'string':
      return compareText(fitting, value as string, place, tell);
    case 'array':
      return (value as readonly unknown[]).every((item) => compare(fitting.items, item, `${place}[]`, tell));
    case 'object':
      return compareObject(fitting, value as Readonly<Record<string, unknown>>, place, tell);
    default:
      return true;
  }
}

function compareText({ format, values }: StringShape, text: string, place: string, tell: Tell): boolean {
  if (format !== undefined && !hasFormat(text, format)) {
    return tell({ kind: 'changed-field', place, detail: `is a text, and was always ${formatWords[format]}` });
  }
  if (values === undefined || values.includes(text)) return true;
  const known = values.map(quote).join(', ');
  return tell({ kind: 'changed-field', place, detail: `is ${quote(text)}, and was always one of ${known}` });
}

function compareObject(
  { members, others }: ObjectShape,
  value: Readonly<Record<string, unknown>>,
  place: string,
  tell: Tell,
): boolean {
  for (const { name, optional, shape } of members) {
    const inside = `${place}.${nameInPlace(name)}`;
    if (Object.hasOwn(value, name)) {
      if (!compare(shape, value[name], inside, tell)) return false;
    } else if (
      optional !== true &&
      !tell({ kind: 'missing-field', place: inside, detail: 'is missing, and was always there' })
    ) {
      return false;
    }
  }
  const names = new Set(members.map(({ name }) => name));
  for (const name of Object.keys(value)) {
    if (names.has(name)) continue;
    const goesOn =
      others === undefined
        ? tell({
            kind: 'new-field',
            place: `${place}.${nameInPlace(name)}`,
            detail: `is new: ${describe(value[name])}`,
          })
        : compare(others, value[name], `${place}.*`, tell);
    if (!goesOn) return false;
  }
  return true;
}

function alternatives(shape: Shape): readonly Shape[] {
  return shape.is === 'union' ? shape.of : [shape];
}

function isOfKind({ is }: Shape, value: unknown): boolean {
  return is === 'unknown' || is === kindOf(value) || (is === 'bigint' && typeof value === 'number');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const kindWords: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'a boolean',
  number: 'a number',
  bigint: 'a number beyond 2^53-1',
  string: 'a text',
  array: 'a list',
  object: 'an object',
};

const formatWords = { uuid: 'a UUID', time: 'a time', date: 'a date' } as const;

function describe(value: unknown): string {
  return kindWords[kindOf(value)] ?? 'unknown';
}

function describeShape(shape: Shape): string {
  const words = alternatives(shape).map((each) => {
    if (each.is === 'bigint') return 'a whole number';
    return each.is === 'string' && each.format !== undefined
      ? formatWords[each.format]
      : (kindWords[each.is] ?? each.is);
  });
  return words.join(' or ');
}

/** Text of the store may be long. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function nameInPlace(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
}
