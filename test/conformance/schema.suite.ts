import { expect, inject } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import { withDatabase } from '../support/engines.js';
import { append, errorOf, failureOf, readAll } from '../support/events.js';
import { suite } from './suite.js';

export const schemaSuite = suite(
  'schema',
  {
    'an empty database, then a store, then no change': async ({ store }) => {
      const empty = await store.schema.status();
      expect(empty.version).toBe(0);
      expect(empty.latest).toBeGreaterThan(0);
      expect(empty.migrations.map(({ state }) => state)).toEqual(Array(empty.migrations.length).fill('pending'));
      await errorOf('E_NO_SCHEMA', store.schema.assertReady());
      await store.schema.migrate();
      const full = await store.schema.status();
      expect(full.version).toBe(full.latest);
      for (const { state, appliedAt } of full.migrations) {
        expect(state).toBe('applied');
        expect(appliedAt).toMatch(/Z$/);
      }
      await store.schema.migrate();
      expect(await store.schema.status()).toEqual(full);
      await store.schema.assertReady();
      await store.schema.assertGuards();
      await append(store, 'Order-1');
      expect(await readAll(store)).toHaveLength(1);
    },

    'a store made by other migrations is refused, and nothing is applied to it': async ({ store, raw }) => {
      await store.schema.migrate();
      await raw.query("update evstore_migrations set name = 'order' where version = 2");
      await raw.query('delete from evstore_migrations where version > 5');
      for (const ask of [() => store.schema.assertReady(), () => store.schema.migrate()]) {
        const error = await errorOf('E_UNSAFE_STORE', ask());
        expect(error.message).toContain('another line of migrations');
        expect(error.why).toContain('Migration 2 is order in the store and append in this evstore');
      }
      const { migrations } = await store.schema.status();
      expect(migrations.map(({ state }) => state)).toEqual([
        'applied',
        'unknown',
        'applied',
        'applied',
        'applied',
        'pending',
        'pending',
        'pending',
      ]);
    },

    'F18: eight that init at once make one schema': async ({ open, store }) => {
      const stores = await Promise.all(Array.from({ length: 8 }, () => open()));
      await Promise.all(stores.map((each) => each.schema.migrate()));
      const { migrations } = await store.schema.status();
      expect(migrations.map(({ state }) => state)).toEqual(Array(migrations.length).fill('applied'));
      await append(store, 'Order-1');
      expect(await readAll(store)).toHaveLength(1);
    },

    'a migration that waited in vain leaves nothing open behind it': async ({ engine, store, connect }) => {
      const rival = await connect();
      await rival.query(engine === 'postgres' ? 'begin' : 'begin immediate');
      if (engine === 'postgres') await rival.query('select pg_advisory_xact_lock(1702261620, 1)');
      for (const lockTimeoutMs of [20, 20]) await errorOf('E_LOCK_HELD', store.schema.migrate({ lockTimeoutMs }));
      expect((await store.schema.status()).version).toBe(0);
      await rival.query('rollback');
      await store.schema.migrate({ lockTimeoutMs: Number.MAX_SAFE_INTEGER });
      await append(store, 'Order-1');
    },

    'a store that was closed says so': async ({ open }) => {
      const store = await open();
      await store.schema.migrate();
      await store.close();
      for (const ask of [() => store.log.head(), () => append(store, 'Order-1'), () => store.projections.list()]) {
        const error = await errorOf('E_CONNECT', ask());
        expect(error.message).toContain('the store was closed');
      }
    },

    'a foreign events table is refused and left alone': async ({ store, raw }) => {
      await raw.query(`create table events (id integer primary key, what text)`);
      await raw.query(`insert into events values (1, 'mine')`);
      const error = await errorOf('E_FOREIGN_TABLE', store.schema.migrate());
      expect(error.message).toContain('events');
      expect(await raw.query('select id, what from events')).toEqual([{ id: 1, what: 'mine' }]);
      await errorOf('E_FOREIGN_TABLE', store.schema.migrate());
      await raw.query('drop table events');
      await store.schema.migrate();
      await append(store, 'Order-1');
    },
  },
  { store: { migrated: false } },
);

export const faultsPostgresSuite = suite(
  'connection faults',
  {
    'F17: a wrong password or database is said at once, without the password': async ({ url }) => {
      const server = new URL(url);
      const secret = 's3cret%2Fp@ss'.replace('@', '%40');
      server.password = secret;
      const missing = withDatabase(server.href, 'evstore_no_such_database');
      const stranger = new URL(url);
      stranger.username = 'evstore_no_such_role';
      stranger.password = secret;
      for (const location of [missing, stranger.href, `postgres://u:${secret}@127.0.0.1:1/db`]) {
        const failure = await failureOf(
          openStoreAt(location).then((store) => store.schema.assertReady().finally(() => store.close())),
        );
        expect(failure).toMatchObject({ name: 'EvstoreError', code: 'E_CONNECT' });
        const told = [failure?.message, failure?.stack, JSON.stringify(failure), String(failure?.cause)].join();
        expect(told).not.toContain('s3cret');
      }
    },

    'the location of a store carries no password': async ({ url }) => {
      const location = new URL(url);
      location.password = 's3cret';
      const store = await openStoreAt(location.href);
      expect(store.location).not.toContain('s3cret');
      expect(store.location).toContain(new URL(inject('postgresUrl')).hostname);
      await store.close();
    },

    'F2: a backend killed between appends is replaced': async ({ store, raw }) => {
      for (let round = 1; round <= 5; round++) {
        await append(store, 'Order-1');
        await raw.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()`,
        );
        await append(store, 'Order-1');
        expect(await readAll(store)).toHaveLength(round * 2);
      }
    },
  },
  { engines: ['postgres'] },
);
