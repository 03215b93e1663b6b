/** The file in which a project keeps the shapes that its types were written from: `evstore.types.json`. */
import { EvstoreError } from '../domain/errors.js';
import { sanitiseJson } from '../domain/safe-json.js';
import type { TypeShape } from './shape.js';

export const lockName = 'evstore.types.json';

export interface Lock {
  /** Of this file; another number is another evstore's. */
  readonly format: 1;
  /** The file of types, relative to the folder of the lock; with `/`. */
  readonly out: string;
  /** The last position that was looked at. */
  readonly seenTo: number;
  /** The event there, by which a store is recognised; null in an empty log. */
  readonly seenToId: string | null;
  /** As `--sample` said; null without it. */
  readonly sample: number | 'all' | null;
  readonly enums: boolean;
  readonly types: readonly TypeShape[];
}

export function writeLock(lock: Lock): string {
  const { types, ...head } = lock;
  const lines = types.flatMap(({ type, versions }) => {
    const shapes = versions.map((each) => `      ${JSON.stringify(each)}`).join(',\n');
    return `    { "type": ${JSON.stringify(type)}, "versions": [\n${shapes}\n    ] }`;
  });
  const members = Object.entries(head).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  const text = ['{', ...members, `  "types": [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n  `}]`, '}'];
  return `${text.join('\n').split('\n').map(sanitiseJson).join('\n')}\n`;
}

/** @throws E_CONFIG for a text that `writeLock` did not write */
export function readLock(text: string, file: string): Lock {
  const lock = parse(text);
  if (isLock(lock)) return lock;
  const format = (lock as { format?: unknown } | undefined)?.format;
  const isOther = typeof format === 'number' && format !== 1;
  throw new EvstoreError('E_CONFIG', `${file} cannot be read`, {
    why: isOther
      ? `Another version of evstore wrote it, in format ${format}.`
      : 'It is not what evstore types generate writes.',
    next: 'evstore types generate --force',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isLock(value: unknown): value is Lock {
  if (typeof value !== 'object' || value === null) return false;
  const { format, out, seenTo, seenToId, types } = value as Partial<Lock>;
  return (
    format === 1 &&
    typeof out === 'string' &&
    Number.isSafeInteger(seenTo) &&
    (seenToId === null || typeof seenToId === 'string') &&
    Array.isArray(types) &&
    types.every(isTypeShape)
  );
}

function isTypeShape(value: unknown): boolean {
  const { type, versions } = (value ?? {}) as Partial<TypeShape>;
  return (
    typeof type === 'string' &&
    Array.isArray(versions) &&
    versions.every((each) => Number.isSafeInteger(each?.version) && isShape(each?.data))
  );
}

const plain: ReadonlySet<unknown> = new Set(['unknown', 'null', 'boolean', 'number', 'bigint', 'string']);

/** A project's file may have been edited, or merged by hand. */
function isShape(value: unknown): boolean {
  const { is, items, members, others, of } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (is === 'array') return isShape(items);
  if (is === 'union') return Array.isArray(of) && of.every(isShape);
  if (is !== 'object') return plain.has(is);
  const areMembers =
    Array.isArray(members) && members.every((each) => typeof each?.name === 'string' && isShape(each?.shape));
  return areMembers && (others === undefined || isShape(others));
}
