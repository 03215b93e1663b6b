/** What hangs on a table of Postgres when it is swapped, kind by kind. */
import { expect } from 'vitest';
import type { ReadModel } from '../../src/domain/read-model.js';
import { columns, everyRow, expectUntouched, follows, options, prepare } from '../support/dependents.js';
import { errorOf, failureOf } from '../support/events.js';
import { buildNext, checkpointOf, request, startProjection, takeLease, totals } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { suite } from './suite.js';

const refused = [
  {
    name: 'composite type column public.pair.one',
    create: 'create type pair as (one order_totals, two order_totals)',
    drop: 'drop type pair',
  },
  {
    name: 'function public.takes(public.order_totals)',
    create: `create function takes(o order_totals) returns text language sql as $$ select '' $$`,
    drop: 'drop function takes',
  },
  {
    name: 'table column public.keeps.whole',
    create: 'create table keeps (whole order_totals)',
    drop: 'drop table keeps',
  },
  {
    name: 'table column public.lists.many',
    create: 'create table lists (many order_totals[])',
    drop: 'drop table lists',
  },
  {
    name: 'materialized view deep (through another view)',
    create: 'create view shallow as select * from order_totals; create materialized view deep as select * from shallow',
    drop: 'drop view shallow cascade',
  },
  {
    name: 'inheritance heir inherits order_totals',
    create: 'create table heir () inherits (order_totals)',
    drop: 'drop table heir',
  },
] as const;

export const dependentsPostgresSuite = suite(
  'dependents',
  {
    'W5: a materialized view': follows({
      name: 'totals_cache',
      create: [`create materialized view totals_cache as select ${columns} from order_totals`],
      expectFollowed: async (raw) => {
        await raw.query('refresh materialized view totals_cache');
        expect(await raw.query(`select ${columns} from totals_cache order by stream_id`)).toEqual(
          await raw.query(everyRow),
        );
      },
    }),

    'W5: a trigger': follows({
      name: 'noted',
      create: [
        `create function note() returns trigger language plpgsql as $$ begin raise exception 'noted'; end $$`,
        'create trigger noted before delete on order_totals for each statement execute function note()',
      ],
      expectFollowed: async (raw) => {
        expect((await failureOf(raw.query('delete from order_totals')))?.message).toBe('noted');
      },
    }),

    'W5: a policy': follows({
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

    'W5: a publication': follows({
      name: 'feed',
      create: ['create publication feed for table order_totals'],
      expectFollowed: async (raw) => {
        expect(await raw.query(`select tablename from pg_publication_tables where pubname = 'feed'`)).toEqual([
          { tablename: 'order_totals' },
        ]);
      },
    }),

    'W5: what cannot follow is refused by name before a rebuild, and loses nothing': async (test) => {
      const { store, raw } = test;
      await prepare(test);
      for (const { create, drop, name } of refused) {
        await raw.query(create);
        const [facts] = await store.projections.inspectTables([totals.name]);
        expect(facts?.blocking.map((each) => `${each.kind} ${each.name}`)).toContain(name);
        const { rebuild, lease } = await buildNext(store, 2);
        const live = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
        const error = await errorOf(
          'E_UNSAFE_STORE',
          store.projections.swap(rebuild, { rebuild: lease, live }, options),
        );
        expect(error.message).toContain(name);
        await expectUntouched(test);
        await store.projections.abort(rebuild, lease);
        await raw.query(drop);
      }
    },

    'W5: a view whose columns would change their type refuses the swap by its name': async (test) => {
      const { store, raw } = test;
      const live = await startProjection(store);
      await raw.query('create view typed as select stream_id, total from order_totals');
      const columns = totals.columns.map(({ name, type }) => ({
        name,
        type: name === 'total' ? ('numeric' as const) : type,
      }));
      const model: ReadModel = { kind: 'table', spec: { ...totals, columns } };
      const { rebuild, lease } = await buildNext(store, 2, { model });
      const error = await errorOf('E_UNSAFE_STORE', store.projections.swap(rebuild, { rebuild: lease, live }, options));
      expect(error.message).toContain('view public.typed');
      expect(error.why).toContain('cannot change data type');
      await expectUntouched(test);
      await raw.query('select total from typed');
    },

    'W2: others wait behind an attempt no longer than it may last': async (test) => {
      const { store, raw } = test;
      const live = await prepare(test);
      const { rebuild, lease } = await buildNext(store, 2);
      await raw.query(`create view behind as select * from order_totals`);
      await raw.query('drop view behind');
      await raw.query(`begin; ${everyRow}`);
      const attempt = store.projections.swap(rebuild, { rebuild: lease, live }, { ...options, lockTimeoutMs: 2_000 });
      const watch = await test.connect();
      const isQueued = `select 1 from pg_locks where relation = 'order_totals'::regclass and mode = 'AccessExclusiveLock' and not granted`;
      await until(async () => (await watch.query(isQueued)).length > 0);
      // Behind the attempt in the queue, while the first reader is still there.
      const second = await test.connect();
      const rows = second.query(everyRow);
      await errorOf('E_TIMEOUT', attempt);
      expect(await rows).toHaveLength(3);
      await raw.query('rollback');
      await expectUntouched(test);
    },

    'W10: a transaction older than the new rows finds none of them': async (test) => {
      const { store, raw } = test;
      const live = await prepare(test);
      await raw.query('begin isolation level repeatable read; select 1 from events');
      const { rebuild, lease } = await buildNext(store, 2);
      await store.projections.swap(rebuild, { rebuild: lease, live }, options);
      expect(await raw.query(everyRow)).toEqual([]);
      await raw.query('commit');
      expect(await raw.query(everyRow)).toHaveLength(3);
    },

    'W5: grants, owner and comments': async (test) => {
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
