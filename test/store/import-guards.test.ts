/** On SQLite an import takes the guards of inserts off, inside its transaction: nobody is to notice. */
import BetterSqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import type { ImportedEvent } from '../../src/store/store.js';
import { type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvent, readAll, readStream } from '../support/events.js';

const many = 150;

function makeLines(streamId = 'Order-1'): ImportedEvent[] {
  return Array.from({ length: many }, () => ({ ...makeEvent(), streamId }));
}

function schemaOf({ raw }: TestStore): Promise<readonly unknown[]> {
  return raw.query('select type, name, tbl_name, sql from sqlite_schema order by type, name');
}

async function expectGuarded({ raw, store }: TestStore): Promise<void> {
  await store.schema.assertGuards();
  const columns = 'stream_id, event_type, event_data, version, global_position';
  await raw.query(`insert into events (${columns}) values ('Raw-1', 'Raw', '{}', 1, 1000)`);
  const behind = raw.query(`insert into events (${columns}) values ('Raw-2', 'Raw', '{}', 1, 999)`);
  expect((await failureOf(behind))?.message).toContain('EV004');
  const replace = raw.query(`replace into events (${columns}) values ('Order-1', 'Raw', '{}', 1, 1)`);
  expect((await failureOf(replace))?.message).toContain('EV001');
}

describe('an import of many events', () => {
  let execute: MockInstance<BetterSqlite.Database['exec']>;
  const dropped = () => execute.mock.calls.map(([text]) => text).filter((text) => text.startsWith('drop trigger'));
  beforeEach(() => {
    execute = vi.spyOn(BetterSqlite.prototype, 'exec');
  });
  afterEach(() => execute.mockRestore());

  it('leaves the schema as it was, to the byte', () =>
    withTestStore('sqlite', async (test) => {
      const before = await schemaOf(test);
      await test.store.log.importEvents(makeLines(), { conflict: 'fail' });
      expect(dropped()).toHaveLength(3);
      expect(await schemaOf(test)).toEqual(before);
      await expectGuarded(test);
    }));

  it('that fails leaves it so, too', () =>
    withTestStore('sqlite', async (test) => {
      const before = await schemaOf(test);
      const known = { ...makeEvent(), streamId: 'Order-1' };
      await test.store.log.importEvents([known], { conflict: 'fail' });
      expect(dropped()).toEqual([]);
      const lines = [...makeLines(), { ...known, data: '[]' }];
      await errorOf('E_ID_CONFLICT', test.store.log.importEvents(lines, { conflict: 'fail' }));
      expect(dropped()).toHaveLength(3);
      expect(await schemaOf(test)).toEqual(before);
      expect(await readAll(test.store)).toHaveLength(1);
      await expectGuarded(test);
    }));

  it('of which all are known changes nothing at all', () =>
    withTestStore('sqlite', async (test) => {
      const lines = makeLines();
      await test.store.log.importEvents(lines, { conflict: 'fail' });
      const state = () => test.raw.query('select * from pragma_schema_version, pragma_data_version');
      const before = await state();
      const result = await test.store.log.importEvents(lines, { conflict: 'fail' });
      expect(result).toEqual({ imported: 0, known: many, skipped: 0, newStreams: 0 });
      expect(await state()).toEqual(before);
    }));

  it('uses up no position for those that are known among them', () =>
    withTestStore('sqlite', async (test) => {
      const lines = makeLines();
      await test.store.log.importEvents(
        lines.filter((_, index) => index % 3 === 0),
        { conflict: 'fail' },
      );
      const result = await test.store.log.importEvents(lines, { conflict: 'fail' });
      expect(result).toMatchObject({ imported: 100, known: 50 });
      const positions = (await readAll(test.store)).map(({ globalPosition }) => globalPosition);
      expect(positions).toEqual(Array.from({ length: many }, (_, index) => index + 1));
    }));

  it('shows the log without guards to nobody, and no writer slips past', () =>
    withTestStore('sqlite', async (test) => {
      await append(test.store, 'Before-1');
      const before = await schemaOf(test);
      const other = new BetterSqlite(test.url.slice('sqlite:'.length), { timeout: 0 });
      const insert = other.prepare(
        `insert or replace into events (stream_id, event_type, event_data, version) values ('Before-1', 'Raw', '{}', 1)`,
      );
      const read = other.prepare('select type, name, tbl_name, sql from sqlite_schema order by type, name');
      const seen: unknown[] = [];
      const lines = makeLines();
      const line = lines[many - 1] as ImportedEvent;
      Object.defineProperty(lines, many - 1, {
        get: () => {
          expect(dropped()).toHaveLength(3);
          expect(read.all()).toEqual(before);
          seen.push(codeOf(() => insert.run()));
          return line;
        },
      });
      await test.store.log.importEvents(lines, { conflict: 'fail' });
      seen.push(codeOf(() => insert.run()));
      expect(seen[0]).toBe('SQLITE_BUSY');
      expect(seen.at(-1)).toBe('SQLITE_CONSTRAINT_CHECK');
      other.close();
    }));

  it('leaves the statements of others good', () =>
    withTestStore('sqlite', async (test) => {
      const other = await test.open();
      for (let round = 1; round <= 3; round++) {
        await append(other, 'Other-1');
        await test.store.log.importEvents(makeLines(`Order-${round}`), { conflict: 'fail' });
        expect(await readAll(other)).toHaveLength(round * (many + 1));
        expect(await readStream(other, 'Other-1')).toHaveLength(round);
      }
    }));

  it.each([
    ['a guard that is missing', 'drop trigger evstore_order', 2],
    [
      'a guard that is another',
      'drop trigger evstore_order; create trigger evstore_order after insert on EVENTS begin select 1; end',
      0,
    ],
    ['a trigger of somebody', 'create trigger theirs after insert on EVENTS begin select 1; end', 0],
  ])('finds %s, and leaves it as it is', (_, tampering, count) =>
    withTestStore('sqlite', async (test) => {
      await test.raw.query(tampering);
      const before = await schemaOf(test);
      execute.mockClear();
      await test.store.log.importEvents(makeLines(), { conflict: 'fail' });
      expect(dropped()).toHaveLength(count);
      expect(await schemaOf(test)).toEqual(before);
      expect(await readAll(test.store)).toHaveLength(many);
    }),
  );
});

function codeOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}
