/** What hangs on a table when it is swapped: it follows to the new table, or the swap is refused by its name. */
import { expect } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { Raw, TestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvents } from '../support/events.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  request,
  runToHead,
  startProjection,
  takeLease,
  totals,
} from '../support/read-models.js';
import { type Case, suite } from './suite.js';

const options = { lockTimeoutMs: 2_000, keepOldMs: 3_600_000 };
const columns = 'stream_id, events, total';

interface Dependent {
  readonly name: string;
  readonly create: readonly string[];
  /** Throws unless the dependent hangs on the table that is called `order_totals` now. */
  readonly expectFollowed: (raw: Raw, test: TestStore) => Promise<void>;
}

async function prepare({ store }: TestStore) {
  const live = await startProjection(store);
  for (let index = 0; index < 6; index++) await append(store, `Order-${index % 3}`, makeEvents(2));
  await runToHead(store, live);
  return live;
}

/** Swaps in a new table and writes to it. False when the swap was refused by name, with everything as it was. */
async function swapOrRefuse(test: TestStore, { name }: Dependent): Promise<boolean> {
  const { store } = test;
  const live = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
  try {
    const { rebuild, lease } = await buildNext(store, 2);
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
  } catch (error) {
    if (!(error instanceof EvstoreError) || error.code !== 'E_UNSAFE_STORE') throw error;
    expect(`${error.message} ${error.why}`).toContain(name);
    expect(await store.projections.list()).toMatchObject([{ version: 1 }]);
    await expectFold(store, live.position);
    return false;
  }
  const fresh = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
  await append(store, 'Order-7', makeEvents(3));
  await expectFold(store, await runToHead(store, fresh));
  return true;
}

const follows =
  (dependent: Dependent): Case =>
  async (test) => {
    await prepare(test);
    for (const sql of dependent.create) await test.raw.query(sql);
    const [facts] = await test.store.projections.inspectTables([totals.name]);
    const known = [...(facts?.carried ?? []), ...(facts?.blocking ?? [])].map(({ name }) => name);
    expect(known.join()).toContain(dependent.name);
    await swapOrRefuse(test, dependent);
    await dependent.expectFollowed(test.raw, test);
  };

const everyRow = `select ${columns} from order_totals order by stream_id`;

export const dependentsSuite = suite('dependents', {
  'W5 W13 a view': follows({
    name: 'totals_view',
    create: [`create view totals_view as select ${columns} from order_totals`],
    expectFollowed: async (raw) => {
      expect(await raw.query(`select ${columns} from totals_view order by stream_id`)).toEqual(
        await raw.query(everyRow),
      );
    },
  }),

  'W5 W13 a foreign key of another table': follows({
    name: 'child',
    create: [
      'create table child (stream_id text references order_totals (stream_id))',
      `insert into child values ('Order-1')`,
    ],
    expectFollowed: async (raw, { engine }) => {
      if (engine === 'sqlite') {
        expect(await raw.query('pragma foreign_key_list(child)')).toMatchObject([{ table: 'order_totals' }]);
        expect(await raw.query('pragma foreign_key_check')).toEqual([]);
        await raw.query('pragma foreign_keys = on');
      }
      await raw.query(`insert into child values ('Order-2')`);
      expect(await failureOf(raw.query(`insert into child values ('nobody')`))).toBeInstanceOf(Error);
    },
  }),

  'W14 a view that is broken already': async (test) => {
    await prepare(test);
    await test.raw.query('create table gone (n integer)');
    await test.raw.query('create view broken as select n from gone');
    await test.raw.query(test.engine === 'sqlite' ? 'drop table gone' : 'alter table gone rename to went');
    await swapOrRefuse(test, { name: 'broken', create: [], expectFollowed: async () => {} });
  },

  'W2 swap-long-reader: what holds the table delays the swap and nothing else': async (test) => {
    const { store, raw, engine } = test;
    const live = await prepare(test);
    const { rebuild, lease } = await buildNext(store, 2);
    await raw.query(engine === 'sqlite' ? 'begin immediate' : `begin; ${everyRow}`);
    const attempt = store.projections.swap(rebuild, { rebuild: lease, live }, { ...options, lockTimeoutMs: 80 });
    await errorOf('E_TIMEOUT', attempt);
    await raw.query('rollback');
    expect(await store.projections.list()).toMatchObject([{ version: 1 }]);
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    expect(await store.projections.list()).toMatchObject([{ version: 2 }]);
    await expectFold(store, (await store.log.head()).safeHead);
  },
});

export const dependentsSqliteSuite = suite(
  'dependents',
  {
    'W13 a trigger': follows({
      name: 'noted',
      create: [
        'create table notes (stream_id text)',
        `create trigger noted after insert on order_totals begin insert into notes values (new.stream_id); end`,
      ],
      expectFollowed: async (raw) => {
        await raw.query(`insert into order_totals (${columns}) values ('Order-9', 1, 1)`);
        expect(await raw.query(`select stream_id from notes where stream_id = 'Order-9'`)).toHaveLength(1);
      },
    }),
  },
  { engines: ['sqlite'] },
);

export const dependentsPostgresSuite = suite(
  'dependents',
  {
    'W5 a materialized view': follows({
      name: 'totals_cache',
      create: [`create materialized view totals_cache as select ${columns} from order_totals`],
      expectFollowed: async (raw) => {
        await raw.query('refresh materialized view totals_cache');
        expect(await raw.query(`select ${columns} from totals_cache order by stream_id`)).toEqual(
          await raw.query(everyRow),
        );
      },
    }),

    'W5 a trigger': follows({
      name: 'noted',
      create: [
        `create function note() returns trigger language plpgsql as $$ begin raise exception 'noted'; end $$`,
        'create trigger noted before delete on order_totals for each statement execute function note()',
      ],
      expectFollowed: async (raw) => {
        expect((await failureOf(raw.query('delete from order_totals')))?.message).toBe('noted');
      },
    }),

    'W5 a policy': follows({
      name: 'visible',
      create: [
        'create policy visible on order_totals using (true)',
        'alter table order_totals enable row level security',
      ],
      expectFollowed: async (raw) => {
        const policies = await raw.query(`select polname from pg_policy where polrelid = 'order_totals'::regclass`);
        expect(policies).toEqual([{ polname: 'visible' }]);
      },
    }),

    'W5 a publication': follows({
      name: 'feed',
      create: ['create publication feed for table order_totals'],
      expectFollowed: async (raw) => {
        expect(await raw.query(`select tablename from pg_publication_tables where pubname = 'feed'`)).toEqual([
          { tablename: 'order_totals' },
        ]);
      },
    }),

    'W5 grants, owner and comments': async (test) => {
      const { raw, store } = test;
      const live = await prepare(test);
      const [owner, reader] = ['owner', 'reader'].map((name) => `evstore_${name}_${process.pid}_${Date.now()}`);
      await raw.query(`create role ${owner}; create role ${reader}`);
      try {
        await raw.query(`alter table order_totals owner to ${owner}`);
        await raw.query(`grant select on order_totals to ${reader}, public`);
        await raw.query(`grant update (total) on order_totals to ${reader} with grant option`);
        await raw.query(`comment on table order_totals is 'what each order adds up to'`);
        await raw.query(`comment on column order_totals.total is 'in cents'`);
        const facts = `select pg_get_userbyid(relowner) as owner, relacl::text as acl, obj_description(oid) as comment,
             (select string_agg(attname || coalesce(attacl::text, '') || coalesce(col_description(attrelid, attnum), ''), ',' order by attnum)
                from pg_attribute where attrelid = pg_class.oid and attnum > 0) as columns
           from pg_class where oid = 'order_totals'::regclass`;
        const before = await raw.query(facts);
        const { rebuild, lease } = await buildNext(store, 2);
        await store.projections.swap(rebuild, { rebuild: lease, live }, options);
        expect(await raw.query(facts)).toEqual(before);
      } finally {
        await raw.query(`reassign owned by ${owner} to current_user; drop owned by ${owner}, ${reader}`);
        await raw.query(`drop role ${owner}, ${reader}`);
      }
    },
  },
  { engines: ['postgres'] },
);
