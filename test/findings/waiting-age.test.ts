import { expect, test } from 'vitest';
import { measureAge } from '../../src/projection/status/waiting-age.js';

const at = (createdAt: string) => ({ createdAt });
const facts = {
  first: at('2026-11-30T11:00:00Z'),
  before: at('2026-11-30T10:00:00Z'),
  storeMadeAt: '2026-01-01T00:00:00Z',
  registeredAt: '2026-01-01T00:00:00Z',
  movedAt: '2026-11-30T10:30:00Z',
  now: new Date('2026-11-30T12:00:00Z'),
};
const minutes = (over: Partial<Parameters<typeof measureAge>[0]>) => {
  const { ageMs, isImported } = measureAge({ ...facts, ...over });
  return [ageMs / 60_000, isImported];
};

test('an event waits from when it was appended', () => {
  expect(minutes({})).toEqual([60, false]);
});

test('an event that is older than the store was imported: it waits since the checkpoint last moved', () => {
  expect(minutes({ first: at('2011-01-01T00:00:00Z'), before: undefined })).toEqual([90, true]);
});

test('so was an event that is older than the one before it, but not one of a transaction that overlapped', () => {
  expect(minutes({ first: at('2026-11-30T08:00:00Z') })).toEqual([90, true]);
  expect(minutes({ first: at('2026-11-30T09:59:30Z') })).toEqual([120, false]);
});

test('no event waited before the store or the projection was there', () => {
  expect(minutes({ registeredAt: '2026-11-30T11:45:00Z' })).toEqual([15, false]);
});

test('a clock that is behind makes no age negative', () => {
  expect(minutes({ now: new Date('2026-11-30T10:59:00Z') })).toEqual([0, false]);
});
