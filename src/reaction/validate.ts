/** Checks that what a file exports is a reaction that can run. */
import { EvstoreError } from '../domain/errors.js';
import { normaliseTimestamp, parseDuration } from '../domain/timestamp.js';
import { findMisspelt } from '../projection/define/shape.js';
import { findUpcasterFaults } from '../projection/define/upcaster.js';
import type { Reaction } from './definition.js';

/** Checks the shape, not the class: the file may have loaded another copy of evstore. */
export function isReaction(value: unknown): value is Reaction {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'reaction';
}

/** @throws E_CONFIG naming what is wrong */
export function checkReaction(reaction: Reaction): Reaction {
  const { name, version = 1, category, since, timeout, maxHops = 1, react } = reaction;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw wrong('a reaction', 'Its name is 1 to 63 lower-case letters, digits and _, beginning with a letter.');
  }
  const who = `reaction ${name}`;
  const [misspelt] = findMisspelt(reaction, keys);
  if (misspelt !== undefined) throw wrong(who, `The ${misspelt}`);
  if (!Number.isSafeInteger(version) || version < 1) throw wrong(who, 'Its version is a whole number from 1.');
  const types = reactionTypes(reaction);
  if (types.length === 0 || types.some((type) => typeof type !== 'string' || type === '')) {
    throw wrong(who, 'on names the event types it reacts to.');
  }
  if (category !== undefined && (typeof category !== 'string' || category === '')) {
    throw wrong(who, 'category is the category of the streams it reads.');
  }
  if (since !== undefined && !isValid(since, normaliseTimestamp)) {
    throw wrong(who, 'since is a time such as 2026-01-31T09:30:00Z.');
  }
  if (timeout !== undefined && !isValid(timeout, parseDuration)) {
    throw wrong(who, `timeout is a duration such as 30s, not ${String(timeout)}.`);
  }
  if (!Number.isSafeInteger(maxHops) || maxHops < 1) throw wrong(who, 'maxHops is a whole number from 1.');
  if (typeof react !== 'function') throw wrong(who, 'It has no function react.');
  const [fault] = findUpcasterFaults(reaction.upcasters);
  if (fault !== undefined) throw wrong(who, `Its ${fault}.`);
  return reaction;
}

export function reactionTypes({ on }: Reaction): readonly string[] {
  return Array.isArray(on) ? on : [on];
}

const keys = [
  ...['kind', 'name', 'version', 'on', 'category', 'since', 'upcasters', 'roundNumbers', 'timeout', 'maxHops', 'react'],
];

function isValid(value: unknown, parse: (text: string) => unknown): boolean {
  try {
    return typeof value === 'string' && parse(value) !== '';
  } catch {
    return false;
  }
}

function wrong(who: string, why: string): EvstoreError {
  return new EvstoreError('E_CONFIG', `the definition of ${who} is wrong`, { why });
}
