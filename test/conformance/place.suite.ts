/** Where a store lives: files that are none, places that may only be read. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import { append, errorOf, makeEvents, readAll } from '../support/events.js';
import { buildNext, expectFold, runToHead, startProjection } from '../support/read-models.js';
import { suite } from './suite.js';

export const placeSuite = suite('place', {
  'F9: a store that is read only can be read, and a write says why it fails': async ({ store, url }) => {
    await append(store, 'Order-1', makeEvents(3));
    await startProjection(store);
    const reader = await openStoreAt(url, { readOnly: true });
    try {
      await reader.schema.assertReady();
      expect(await readAll(reader)).toHaveLength(3);
      expect(await reader.log.streams()).toHaveLength(1);
      expect(await reader.projections.list()).toHaveLength(1);
      await errorOf('E_READ_ONLY', append(reader, 'Order-1'));
      await errorOf('E_READ_ONLY', reader.projections.setCheckpoint('order_totals', 1));
    } finally {
      await reader.close();
    }
    expect(await readAll(store)).toHaveLength(3);
  },

  'closing twice, and while something runs, does no harm': async ({ open }) => {
    const store = await open();
    await append(store, 'Order-1');
    const waiting = store.log.waitForAppend(1, { timeoutMs: 60_000 }).catch(() => 0);
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await waiting;
  },
});

export const placePostgresSuite = suite(
  'place',
  {
    'F9: an account that may only read': async ({ url, raw, store }) => {
      await append(store, 'Order-1');
      const [row] = await raw.query('select current_database() as name');
      await raw.query(`alter database ${row?.name} set default_transaction_read_only = on`);
      const reader = await openStoreAt(url);
      try {
        expect(await readAll(reader)).toHaveLength(1);
        await errorOf('E_READ_ONLY', append(reader, 'Order-1'));
      } finally {
        await reader.close();
      }
    },

    'H17: stores in schemas of odd names live side by side': async ({ url, store, connect }) => {
      await append(store, 'Order-1');
      for (const schema of [
        'a"; drop table events;--',
        "it's",
        '',
        'pg_x',
        'a\0b',
        'x'.repeat(64),
        'ü'.repeat(32),
        'a$$b',
      ]) {
        await errorOf('E_CONFIG', openStoreAt(url, { schema }));
      }
      const names = ['other', 'Odd name', 'select', 'a-b$c', 'ü'.repeat(31)];
      for (const schema of names) {
        const other = await openStoreAt(url, { schema, create: true });
        try {
          await other.schema.migrate();
          await other.schema.assertGuards();
          expect(await readAll(other)).toEqual([]);
          await append(other, 'Order-1', makeEvents(2));
          const live = await startProjection(other);
          await runToHead(other, live);
          const { rebuild, lease } = await buildNext(other, 2);
          const leases = { rebuild: lease, live };
          const swapped = await other.projections.swap(rebuild, leases, { lockTimeoutMs: 5_000, keepOldMs: 0 });
          await other.projections.retire(swapped);
          await expectFold(other, 2);
        } finally {
          await other.close();
        }
      }
      expect(await readAll(store)).toHaveLength(1);
      expect(await store.projections.list()).toEqual([]);
      const writer = await connect();
      await writer.query('begin');
      await writer.query(
        `insert into other.events (id, stream_id, stream_type, event_type, event_data, version)
         values (gen_random_uuid(), 'Raw-1', 'Raw', 'Raw', '{}', 1)`,
      );
      const { globalPosition } = await append(store, 'Order-1');
      expect((await store.log.head()).safeHead).toBe(globalPosition);
      await writer.query('rollback');
    },
  },
  { engines: ['postgres'] },
);

export const placeSqliteSuite = suite(
  'place',
  {
    'F10: junk is refused and left as it is': async ({ url }) => {
      const path = `${url.slice('sqlite:'.length)}.junk`;
      const junk = 'this is no database\n'.repeat(500);
      writeFileSync(path, junk);
      const opening = openStoreAt(`sqlite:${path}`, { create: true }).then(async (store) => {
        await store.schema.migrate().finally(() => store.close());
      });
      const error = await errorOf('E_CORRUPT', opening);
      expect(`${error.message} ${error.why}`).toContain('.junk');
      expect(readFileSync(path, 'utf8')).toBe(junk);
    },

    'F10: a page overwritten': async ({ url, store, raw }) => {
      await append(store, 'Order-1', makeEvents(2_000));
      await raw.query('pragma wal_checkpoint(truncate)');
      const path = url.slice('sqlite:'.length);
      const bytes = readFileSync(path);
      writeFileSync(`${path}.bad`, bytes.fill(0x5a, 40_960, bytes.length - 4_096));
      const reading = openStoreAt(`sqlite:${path}.bad`).then((broken) => readAll(broken).finally(() => broken.close()));
      const error = await errorOf('E_CORRUPT', reading);
      expect(`${error.message} ${error.why}`).toContain('.bad');
    },

    'a missing file is no schema, a folder is no store': async ({ url }) => {
      const path = url.slice('sqlite:'.length);
      const opening = async (location: string) => {
        const store = await openStoreAt(location);
        await store.schema.assertReady().finally(() => store.close());
      };
      await errorOf('E_NO_SCHEMA', opening(`sqlite:${path}.missing`));
      mkdirSync(`${path}.folder`);
      await errorOf('E_CONFIG', opening(`sqlite:${path}.folder`));
    },
  },
  { engines: ['sqlite'] },
);
