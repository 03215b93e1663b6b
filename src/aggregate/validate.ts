/** Checks that what a program or a file gives is an aggregate that can be loaded. */
import { EvstoreError } from '../domain/errors.js';
import { findMisspelt } from '../projection/define/shape.js';
import { findUpcasterFaults } from '../projection/define/upcaster.js';
import { describeValue } from '../projection/define/values.js';
import type { Aggregate } from './definition.js';

/** Checks the mark, not the class: the file may have loaded another copy of evstore. */
export function isAggregate(value: unknown): value is Aggregate {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'aggregate';
}

/** @throws E_CONFIG naming what is wrong */
export function checkAggregate(value: unknown): Aggregate {
  if (!isAggregate(value)) {
    throw new EvstoreError('E_CONFIG', `${describeValue(value)} is not an aggregate`, {
      why: 'An aggregate is what defineAggregate returns.',
    });
  }
  const { name, category, version, codeHash, upcasters, roundNumbers, initial, evolve, decide, snapshot } = value;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw wrong('an aggregate', 'Its name is 1 to 63 lower-case letters, digits and _, beginning with a letter.');
  }
  const who = `aggregate ${name}`;
  const assert = (isRight: boolean, why: string) => {
    if (!isRight) throw wrong(who, why);
  };
  assertSpelt(who, value, keys);
  assert(isWholeNumber(version), 'Its version is a whole number from 1.');
  assert(
    typeof category === 'string' && category !== '' && !category.includes('-'),
    'Its category is the part of a stream name before the first -.',
  );
  assert(
    codeHash === undefined || (typeof codeHash === 'string' && codeHash !== '' && codeHash.length <= 200),
    'Its codeHash is text of 1 to 200 characters.',
  );
  const [fault] = findUpcasterFaults(upcasters);
  assert(fault === undefined, `Its ${fault}.`);
  assert(['undefined', 'boolean'].includes(typeof roundNumbers), 'Its roundNumbers is true or false.');
  assert(typeof initial === 'function', 'Its initial is a function that returns the state of a new stream.');
  const handlers: readonly unknown[] = typeof evolve === 'object' && evolve !== null ? Object.values(evolve) : [];
  const isMap = handlers.length > 0 && handlers.every((handler) => typeof handler === 'function');
  assert(isMap, 'Its evolve is an object of functions, by event type, each of the state and the event.');
  assert(
    decide === undefined || typeof decide === 'function',
    'Its decide is a function of the state and the command.',
  );
  if (snapshot !== undefined) {
    const isObject = typeof snapshot === 'object' && snapshot !== null;
    assert(isObject && isWholeNumber(snapshot.every), 'Its snapshot is { every: a whole number from 1 }.');
    assertSpelt(who, snapshot, ['every']);
  }
  return value;
}

const keys = [
  ...['kind', 'name', 'category', 'version', 'codeHash', 'upcasters', 'roundNumbers'],
  ...['initial', 'evolve', 'decide', 'snapshot'],
];

function isWholeNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 2 ** 31;
}

function assertSpelt(who: string, value: object, known: readonly string[]): void {
  const [fault] = findMisspelt(value, known);
  if (fault !== undefined) throw wrong(who, `The ${fault}.`);
}

function wrong(who: string, why: string): EvstoreError {
  return new EvstoreError('E_CONFIG', `the definition of ${who} is wrong`, { why });
}
