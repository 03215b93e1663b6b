/** Global order on Postgres: the in-flight floor, case by case. */
import { expect } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import type { Raw, TestStore } from '../support/engines.js';
import { append, collectBatches, errorOf, failureOf, readAll } from '../support/events.js';
import { suite } from './suite.js';

function insert(session: Raw, streamId: string, version = 1): Promise<unknown> {
  return session.query(
    `insert into events (id, stream_id, stream_type, event_type, event_data, version)
     values ('${newEventId()}', '${streamId}', 'Raw', 'Raw', '{}', ${version})`,
  );
}

async function inTransaction(test: TestStore, streamId: string): Promise<Raw> {
  const session = await test.connect();
  await session.query('begin');
  await insert(session, streamId);
  return session;
}

const streams = async (test: TestStore) => (await readAll(test.store)).map(({ streamId }) => streamId);
const safeHead = async (test: TestStore) => (await test.store.log.head()).safeHead;

export const orderingSuite = suite(
  'global order',
  {
    'O4: the first event of a store, while it is open': async (test) => {
      const open = await inTransaction(test, 'a-1');
      expect(await safeHead(test)).toBe(0);
      expect(await streams(test)).toEqual([]);
      await open.query('commit');
      expect(await safeHead(test)).toBe(1);
      expect(await streams(test)).toEqual(['a-1']);
    },

    'O5: a lower position that commits late holds readers': async (test) => {
      const low = await inTransaction(test, 'low-1');
      await append(test.store, 'high-1');
      expect(await streams(test)).toEqual([]);
      expect(await test.store.log.head()).toMatchObject({ head: 2, safeHead: 0 });
      expect(await test.store.log.waitForAppend(0, { timeoutMs: 30 })).toBe(0);
      await low.query('commit');
      expect(await streams(test)).toEqual(['low-1', 'high-1']);
    },

    'a stream is read to its end whatever other writers do': async (test) => {
      const low = await inTransaction(test, 'low-1');
      await append(test.store, 'high-1');
      const batches = await collectBatches(test.store.log.readStream('high-1'));
      expect(batches.flatMap(({ events }) => events)).toHaveLength(1);
      await low.query('rollback');
    },

    'O6: readers pass the gap of a rollback at once': async (test) => {
      const gone = await inTransaction(test, 'gone-1');
      await append(test.store, 'stays-1');
      await gone.query('rollback');
      expect(await streams(test)).toEqual(['stays-1']);
      expect(await safeHead(test)).toBe(2);
    },

    'O7: an append after ROLLBACK TO takes its floor again': async (test) => {
      const writer = await test.connect();
      await writer.query('begin');
      await writer.query('savepoint before');
      await insert(writer, 'undone-1');
      await writer.query('rollback to before');
      await append(test.store, 'between-1');
      expect(await streams(test)).toEqual(['between-1']);
      await insert(writer, 'rearmed-1');
      await append(test.store, 'after-1');
      expect(await streams(test)).toEqual(['between-1']);
      await writer.query('commit');
      expect(await streams(test)).toEqual(['between-1', 'rearmed-1', 'after-1']);
    },

    'O10: a sequence that caches positions is refused': async (test) => {
      await test.store.schema.assertGuards();
      const [row] = await test.raw.query(`select pg_get_serial_sequence('events', 'global_position') as name`);
      await test.raw.query(`alter sequence ${row?.name} cache 10`);
      const error = await errorOf('E_UNSAFE_STORE', (await test.open()).schema.assertGuards());
      expect(`${error.message} ${error.why}`).toMatch(/cache/i);
    },

    'O11: a disabled trigger is refused, a replica role stays guarded': async (test) => {
      const replica = await test.connect();
      await replica.query("set session_replication_role = 'replica'; begin");
      await insert(replica, 'replica-1');
      await append(test.store, 'other-1');
      expect(await streams(test)).toEqual([]);
      expect((await failureOf(replica.query('delete from events')))?.code).toBe('EV001');
      await replica.query('rollback');
      const triggers = await test.raw.query(
        `select tgname as name from pg_trigger where tgrelid = 'events'::regclass and not tgisinternal`,
      );
      expect(triggers.length).toBeGreaterThanOrEqual(2);
      for (const { name } of triggers) {
        await test.raw.query(`alter table events disable trigger "${name}"`);
        const error = await errorOf('E_UNSAFE_STORE', (await test.open()).schema.assertGuards());
        expect(`${error.message} ${error.why}`).toMatch(/trigger/i);
        await test.raw.query(`alter table events enable always trigger "${name}"`);
      }
      await (await test.open()).schema.assertGuards();
    },

    'O13: reading in REPEATABLE READ is refused': async (test) => {
      await append(test.store, 'a-1');
      const [row] = await test.raw.query(
        `select oid::regprocedure::text as name from pg_proc where proname like '%safe_head' and pronargs <= 1`,
      );
      const call = `select ${String(row?.name).replace(/\(.*/, '')}()`;
      await test.raw.query('begin isolation level repeatable read');
      expect((await failureOf(test.raw.query(call)))?.code).toBe('EV003');
      await test.raw.query('rollback');
      await test.raw.query('begin isolation level serializable');
      expect((await failureOf(test.raw.query(call)))?.code).toBe('EV003');
      await test.raw.query('rollback');
      expect(Object.values((await test.raw.query(call))[0] ?? {})).toEqual(['1']);
    },

    'O13: an account that defaults to REPEATABLE READ is refused, not misled': async (test) => {
      const [row] = await test.raw.query('select current_database() as name');
      await test.raw.query(`alter database ${row?.name} set default_transaction_isolation = 'repeatable read'`);
      const store = await test.open();
      await errorOf('E_UNSAFE_STORE', readAll(store));
    },

    'O14: a prepared transaction holds readers back': async (test) => {
      const gid = `order-${newEventId()}`;
      const writer = await inTransaction(test, 'prepared-1');
      await writer.query(`prepare transaction '${gid}'`);
      await append(test.store, 'after-1');
      const seen = await streams(test);
      const { heldBackBy } = await test.store.log.head({ holder: true });
      await writer.query(`commit prepared '${gid}'`);
      expect(seen).toEqual([]);
      expect(heldBackBy).toMatchObject({ gid, pid: null, state: 'prepared' });
      expect(await streams(test)).toEqual(['prepared-1', 'after-1']);
    },

    'O15: writers in another database and transactions that append nothing hold no reader': async (test) => {
      const idle = await test.connect();
      await idle.query('begin isolation level repeatable read');
      await idle.query('create table elsewhere (n int); insert into elsewhere values (1); select txid_current()');
      await append(test.store, 'a-1');
      expect(await streams(test)).toEqual(['a-1']);
      await idle.query('rollback');
    },

    'O16: an append left open holds readers, and lag names it': async (test) => {
      const holder = await inTransaction(test, 'idle-1');
      const [session] = await holder.query('select pg_backend_pid() as pid');
      await append(test.store, 'other-1');
      await append(test.store, 'other-1');
      expect(await streams(test)).toEqual([]);
      const { heldBackBy } = await test.store.log.head({ holder: true });
      expect(heldBackBy).toMatchObject({
        pid: session?.pid,
        gid: null,
        application: 'somebody else',
        state: 'idle in transaction',
      });
      expect(heldBackBy?.ageMs).toBeGreaterThanOrEqual(0);
      await holder.query('rollback');
      expect((await test.store.log.head({ holder: true })).heldBackBy).toBeNull();
    },

    'O24: a safe head that goes down moves no reader back': async (test) => {
      await append(test.store, 'a-1');
      await append(test.store, 'a-1');
      const seen = await readAll(test.store);
      const after = seen.at(-1)?.globalPosition ?? 0;
      const low = await inTransaction(test, 'low-1');
      await append(test.store, 'high-1');
      expect(await readAll(test.store, { after })).toEqual([]);
      expect(await test.store.log.waitForAppend(after, { timeoutMs: 20 })).toBeLessThanOrEqual(after);
      await low.query('commit');
      expect((await readAll(test.store, { after })).map(({ streamId }) => streamId)).toEqual(['low-1', 'high-1']);
    },
  },
  { engines: ['postgres'] },
);
