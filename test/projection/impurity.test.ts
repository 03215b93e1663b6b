import nodeCrypto, { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { watchImpurity } from '../../src/projection/check-handlers/impurity.js';

const places: readonly (readonly [string, () => unknown])[] = [
  ['Date.now', () => Date.now()],
  ['new Date()', () => new Date()],
  ['Date()', () => (Date as unknown as () => string)()],
  ['Math.random', () => Math.random()],
  ['performance.now', () => performance.now()],
  ['crypto.randomUUID', () => globalThis.crypto.randomUUID()],
  ['crypto.randomUUID', () => nodeCrypto.randomUUID()],
  ['crypto.getRandomValues', () => globalThis.crypto.getRandomValues(new Uint8Array(4))],
  ['crypto.getRandomValues', () => nodeCrypto.getRandomValues(new Uint8Array(4))],
];

function spellGlobals(): unknown[] {
  return [
    [globalThis, 'Date'],
    [Date, 'now'],
    [Math, 'random'],
    [performance, 'now'],
    [globalThis.crypto, 'randomUUID'],
    [globalThis.crypto, 'getRandomValues'],
    [nodeCrypto, 'randomUUID'],
  ].map(([owner, name]) => Object.getOwnPropertyDescriptor(owner as object, name as string));
}

it.each(places)('detects %s, and returns its result', (use, work) => {
  const { outcome, uses } = watchImpurity(work);
  expect([...uses.keys()]).toEqual([use]);
  expect(outcome).toEqual({ value: expect.anything() });
  expect(typeof (outcome as { value: unknown }).value).toBe(typeof work());
});

it('ignores calls that depend only on their arguments', () => {
  const { outcome, uses } = watchImpurity(() => {
    const date = new Date('2026-01-31T09:30:00Z');
    return [date instanceof Date, date.toISOString(), Date.parse('2026-01-01'), Date.UTC(2026, 0), Math.max(1, 2)];
  });
  expect(outcome).toEqual({ value: [true, '2026-01-31T09:30:00.000Z', 1_767_225_600_000, 1_767_225_600_000, 2] });
  expect(uses.size).toBe(0);
});

it('restores everything, even after an error', () => {
  const before = spellGlobals();
  const thrown = new Error('no');
  const watched = watchImpurity(() => {
    Date.now();
    throw thrown;
  });
  expect(watched.outcome).toEqual({ error: thrown });
  expect([...watched.uses]).toEqual([['Date.now', 'clock']]);
  for (const [, work] of places) watchImpurity(work);
  expect(spellGlobals()).toEqual(before);
  expect(watchImpurity(() => 1).uses.size).toBe(0);
  // A binding taken before cannot be watched: the second run shows it.
  expect(watchImpurity(() => randomUUID()).outcome).not.toEqual(watchImpurity(() => randomUUID()).outcome);
});
