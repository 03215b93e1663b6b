/** An import on SQLite takes the guards of each row off for the length of its transaction. */
import { expect, test } from 'vitest';
import type { ImportedEvent } from '../../src/store/store.js';
import { type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent } from '../support/events.js';

const triggers = "select name, sql from sqlite_schema where type = 'trigger' order by name";
const replace = `insert or replace into events (id, stream_id, event_type, event_data, version)
  select id, stream_id, event_type, '{"changed":true}', version from events limit 1`;

const imported = (facts: Partial<ImportedEvent> = {}): ImportedEvent => ({ ...makeEvent(facts), streamId: 'a-1' });

async function assertGuarded({ raw, store }: TestStore, before: unknown): Promise<void> {
  expect(await raw.query(triggers)).toEqual(before);
  await expect(raw.query(replace)).rejects.toThrow('EV001');
  const behind = `insert into events (stream_id, event_type, event_data, version, global_position)
    values ('late-1', 'Late', '{}', 1, -1 + (select min(global_position) from events))`;
  await expect(raw.query(behind)).rejects.toThrow(/EV004|CHECK/);
  // Who had the table open before goes on.
  await append(store, 'b-1');
}

test('they are back after it, letter by letter, for those who were there before', async () => {
  await withTestStore('sqlite', async (testStore) => {
    const { raw, open } = testStore;
    await raw.query(`insert into events (stream_id, event_type, event_data, version, global_position)
      values ('first-1', 'First', '{}', 1, 10)`);
    const before = await raw.query(triggers);
    const other = await open();
    await other.log.importEvents([imported(), imported()], { conflict: 'fail' });
    await assertGuarded(testStore, before);
  });
});

test('they are back after one that failed', async () => {
  await withTestStore('sqlite', async (testStore) => {
    const { raw, store } = testStore;
    const before = await raw.query(triggers);
    const known = imported();
    await store.log.importEvents([known], { conflict: 'fail' });
    const events = [imported(), { ...known, data: '[]' }];
    await errorOf('E_ID_CONFLICT', store.log.importEvents(events, { conflict: 'fail' }));
    await assertGuarded(testStore, before);
  });
});

test('one that somebody has taken away is not invented', async () => {
  await withTestStore('sqlite', async ({ raw, store }) => {
    await raw.query('drop trigger evstore_no_replace');
    const before = await raw.query(triggers);
    await store.log.importEvents([imported(), imported()], { conflict: 'fail' });
    expect(await raw.query(triggers)).toEqual(before);
  });
});

test('they stay where a trigger of somebody else inserts events, too', async () => {
  await withTestStore('sqlite', async ({ raw, store }) => {
    await append(store, 'a-1', [makeEvent({ id: '0190a000-0000-7000-8000-000000000001' })]);
    await raw.query(`create trigger rewrite after insert on events begin
      insert or replace into events (id, stream_id, event_type, event_data, version)
        values ('0190a000-0000-7000-8000-000000000001', 'a-1', 'Changed', '{}', 1); end`);
    const before = await raw.query(triggers);
    await expect(store.log.importEvents([imported()], { conflict: 'fail' })).rejects.toThrow('immutable');
    expect(await raw.query(triggers)).toEqual(before);
    expect(await raw.query('select event_type from events')).toHaveLength(1);
  });
});
