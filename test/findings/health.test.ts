import { expect, test } from 'vitest';
import { judgeClock, judgeEncryption } from '../../src/store/postgres/schema/health.js';
import { judgeRights } from '../../src/store/sqlite/schema/health.js';

const location = 'postgres://app@db.example.com/shop';

test('a plain connection to another machine is a warning, and leads to an encrypted one', () => {
  expect(judgeEncryption({ isEncrypted: true, isLocal: false, location })).toEqual([]);
  expect(judgeEncryption({ isEncrypted: false, isLocal: true, location })).toEqual([]);
  expect(judgeEncryption({ isEncrypted: false, isLocal: false, location })).toMatchObject([
    { severity: 'warning', next: `evstore doctor --store '${location}?sslmode=verify-full'` },
  ]);
});

test('a clock counts as wrong only by what the round trip does not explain', () => {
  expect(judgeClock(5_000, 1_000, 9_000)).toEqual([]);
  expect(judgeClock(10_999, 1_000, 9_000)).toEqual([]);
  expect(judgeClock(99_000, 1_000, 9_000)).toMatchObject([{ detail: expect.stringContaining('is 1 min behind') }]);
  expect(judgeClock(1_000, 99_000, 99_500)).toMatchObject([{ detail: expect.stringContaining('is 1 min ahead of') }]);
});

test('a file or folder that this account cannot write is a warning that names what does not work', () => {
  const file = { path: '/data/shop.db', isFolder: false, mode: 0o600, isWritable: true };
  const folder = { path: '/data', isFolder: true, mode: 0o755, isWritable: true };
  expect(judgeRights([folder, file])).toEqual([]);
  expect(judgeRights([{ ...folder, isWritable: false }, file])).toMatchObject([
    { severity: 'warning', subject: '/data', detail: expect.stringContaining('-wal and -shm') },
  ]);
  expect(judgeRights([folder, file, { ...file, path: '/data/shop.db-wal', isWritable: false }])).toMatchObject([
    { severity: 'warning', subject: '/data/shop.db-wal' },
  ]);
  expect(judgeRights([folder, { ...file, mode: 0o644 }])).toEqual([]);
  expect(judgeRights([folder, { ...file, mode: 0o666 }])).toMatchObject([{ next: 'chmod o-w /data/shop.db' }]);
});
