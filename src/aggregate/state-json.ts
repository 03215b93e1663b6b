/**
 * The state of an aggregate ↔ the data of a snapshot. A state that comes back from JSON as another value would decide
 * differently from one that was folded from events, so it is not written.
 */
import type { JsonText } from '../domain/event.js';
import { scanJson } from '../domain/json.js';

/** A state that JSON would change. The message completes "its state has …". */
export class StateFault extends Error {}

/** The most levels that the store takes, as for events. */
const deepest = 128;

/** @throws StateFault */
export function writeState(state: unknown): JsonText {
  assertPlain(state, [], 0);
  const text = JSON.stringify(state);
  // Text that Postgres refuses: every engine refuses it.
  const fault = scanJson(text);
  if (fault !== undefined) throw new StateFault(`text that cannot be stored: ${fault.reason}`);
  return text;
}

/** Every number comes back as it was, because it was printed from a double. */
export function readState(data: JsonText): unknown {
  return JSON.parse(data);
}

function assertPlain(value: unknown, path: readonly string[], level: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Object.is(value, -0)) throw fault(Object.is(value, -0) ? '-0' : String(value), path);
    return;
  }
  if (typeof value !== 'object') throw fault(value === undefined ? 'undefined' : `a ${typeof value}`, path);
  if (level > deepest) throw new StateFault(`more than ${deepest} levels`);
  const isList = Array.isArray(value);
  const prototype: object | null = Object.getPrototypeOf(value);
  if (!(isList ? Array.isArray(prototype) : isOfObjects(prototype))) throw fault(nameClass(prototype), path);
  if (isList && Object.keys(value).length !== value.length) throw fault('an array with holes or properties', path);
  for (const key of Reflect.ownKeys(value)) {
    if (isList && key === 'length') continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (typeof key === 'symbol') throw fault('a property named by a symbol', path);
    if (property?.enumerable !== true) throw fault('a hidden property', [...path, key]);
    if (property.get !== undefined || property.set !== undefined) throw fault('a getter', [...path, key]);
    if (key === 'toJSON' && typeof property.value === 'function') throw fault('a toJSON', path);
    assertPlain(property.value, [...path, key], level + 1);
  }
}

/** Also of another realm: a test runner may have one. */
function isOfObjects(prototype: object | null): boolean {
  return prototype !== null && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function nameClass(prototype: object | null): string {
  const name = prototype === null ? '' : String(prototype.constructor?.name);
  if (name === '') return 'an object without a prototype';
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function fault(what: string, path: readonly string[]): StateFault {
  return new StateFault(path.length === 0 ? what : `${what} at ${path.join('.')}`);
}
