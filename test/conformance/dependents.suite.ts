/** What hangs on a table when it is swapped: it follows to the new table and back, or is refused by its name. */
import { expect } from 'vitest';
import type { ReadModel } from '../../src/domain/read-model.js';
import { columns, everyRow, expectUntouched, follows, options, prepare } from '../support/dependents.js';
import { errorOf, failureOf } from '../support/events.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  request,
  rowChanges,
  startProjection,
  takeLease,
  totals,
  totalsModel,
} from '../support/read-models.js';
import { suite } from './suite.js';

/** On SQLite views and foreign keys find the new table whenever they were made. */
const arrivals: readonly {
  readonly name: string;
  readonly engine: 'both' | 'postgres';
  readonly create: readonly string[];
  readonly drop: string;
}[] = [
  {
    name: 'index late',
    engine: 'both',
    create: ['create index late on order_totals (events)'],
    drop: 'drop index late',
  },
  {
    name: 'view late',
    engine: 'postgres',
    create: ['create view late as select * from order_totals'],
    drop: 'drop view late',
  },
  {
    name: 'materialized view late',
    engine: 'postgres',
    create: ['create materialized view late as select * from order_totals'],
    drop: 'drop materialized view late',
  },
  {
    name: 'trigger late',
    engine: 'postgres',
    create: [
      'create function late() returns trigger language plpgsql as $$ begin return new; end $$',
      'create trigger late before insert on order_totals for each row execute function late()',
    ],
    drop: 'drop trigger late on order_totals',
  },
  {
    name: 'policy late',
    engine: 'postgres',
    create: ['create policy late on order_totals'],
    drop: 'drop policy late on order_totals',
  },
  {
    name: 'row security enabled',
    engine: 'postgres',
    create: ['alter table order_totals enable row level security'],
    drop: 'alter table order_totals disable row level security',
  },
  {
    name: 'foreign key late on notes',
    engine: 'postgres',
    create: ['alter table notes add constraint late foreign key (stream_id) references order_totals'],
    drop: 'alter table notes drop constraint late',
  },
  {
    name: 'publication late',
    engine: 'postgres',
    create: ['create publication late for table order_totals'],
    drop: 'drop publication late',
  },
  {
    name: 'check late',
    engine: 'postgres',
    create: ['alter table order_totals add constraint late check (events > 0)'],
    drop: 'alter table order_totals drop constraint late',
  },
  {
    name: 'statistics late',
    engine: 'postgres',
    create: ['create statistics late on events, total from order_totals'],
    drop: 'drop statistics late',
  },
  {
    name: 'composite type column public.late.one',
    engine: 'postgres',
    create: ['create type late as (one order_totals)'],
    drop: 'drop type late',
  },
];

export const dependentsSuite = suite('dependents', {
  'W5 W13: a view follows the new table': follows({
    name: 'totals_view',
    create: [`create view totals_view as select ${columns} from order_totals`],
    expectFollowed: async (raw) => {
      expect(await raw.query(`select ${columns} from totals_view order by stream_id`)).toEqual(
        await raw.query(everyRow),
      );
    },
  }),

  'W5 W13: a foreign key of another table': follows({
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

  'W5: an index that somebody added by hand': follows({
    name: 'by_hand',
    create: ['create unique index by_hand on order_totals (stream_id, events) where events > 0'],
    expectFollowed: async (raw, { engine }) => {
      const indexes =
        engine === 'sqlite'
          ? await raw.query(
              `select name from sqlite_schema where type = 'index' and tbl_name = 'order_totals' and sql like '%where events > 0'`,
            )
          : await raw.query(
              `select indexname as name from pg_indexes where tablename = 'order_totals' and indexdef like '%WHERE (events > 0)'`,
            );
      expect(indexes).toEqual([{ name: 'by_hand' }]);
    },
  }),

  'W14: a view that is broken already': async (test) => {
    const live = await prepare(test);
    await test.raw.query('create table gone (n integer)');
    await test.raw.query('create view broken as select n from gone');
    await test.raw.query(test.engine === 'sqlite' ? 'drop table gone' : 'alter table gone rename to went');
    const { rebuild, lease } = await buildNext(test.store, 2);
    await test.store.projections.swap(rebuild, { rebuild: lease, live }, options);
    await expectFold(test.store, (await test.store.log.head()).safeHead);
  },

  'W5: a view that needs a column the new table lacks': async (test) => {
    const { store, raw } = test;
    const live = await startProjection(store);
    await raw.query('create view needy as select total from order_totals');
    const columns = totals.columns.filter(({ name }) => name !== 'total');
    const model: ReadModel = { kind: 'table', spec: { ...totals, columns, indexes: [] } };
    const swap = async () => {
      const { rebuild, lease } = await buildNext(store, 2, { model });
      await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    };
    const error = await errorOf('E_UNSAFE_STORE', swap());
    expect(error.message).toMatch(/view (public\.)?needy/);
    // On Postgres it is known before the first event is read.
    const [rebuild] = await store.projections.rebuilds();
    expect(rebuild?.state).toBe(test.engine === 'postgres' ? 'planned' : 'ready');
    await expectUntouched(test);
    await raw.query('select total from needy');
  },

  'W5: a foreign key whose rows the new table lacks': async (test) => {
    const { store, raw } = test;
    const live = await prepare(test);
    await raw.query(
      'create table child (stream_id text, constraint of_order foreign key (stream_id) references order_totals (stream_id))',
    );
    await raw.query(`insert into child values ('Order-1')`);
    const { rebuild, lease } = await buildNext(store, 2);
    await raw.query(`delete from ${rebuild.tables[0]?.built} where stream_id = 'Order-1'`);
    const error = await errorOf('E_UNSAFE_STORE', store.projections.swap(rebuild, { rebuild: lease, live }, options));
    expect(error.message).toMatch(/of_order|child/);
    await expectUntouched(test);
    if (test.engine === 'sqlite') await raw.query('pragma foreign_keys = on');
    expect(await failureOf(raw.query(`insert into child values ('nobody')`))).toBeInstanceOf(Error);
  },

  'W5: a unique index by hand that the new rows break': async (test) => {
    const { store, raw } = test;
    const live = await startProjection(store);
    await raw.query('create unique index by_hand on order_totals (events)');
    const plan = { projection: totals.name, version: 2, codeHash: 'hash-2', tables: [totals.name] };
    const { rebuild, lease } = await store.projections.startRebuild(plan, request);
    const filling = await store.projections.createRebuildTables(rebuild, lease, totalsModel);
    await raw.query(`insert into ${filling.tables[0]?.built} (stream_id, events) values ('a', 1), ('b', 1)`);
    const swap = async () => {
      const ready = await store.projections.finishFill(filling, lease, totalsModel);
      await store.projections.swap(ready, { rebuild: lease, live }, options);
    };
    expect((await errorOf('E_UNSAFE_STORE', swap())).message).toContain('index by_hand');
    await expectUntouched(test);
  },

  'W9: what came since the rebuild began refuses the swap by name': async (test) => {
    const { store, raw, engine } = test;
    const live = await prepare(test);
    await raw.query('create table notes (stream_id text)');
    const { rebuild, lease } = await buildNext(store, 2);
    for (const { create, drop, name } of arrivals.filter((each) => engine === 'postgres' || each.engine === 'both')) {
      for (const sql of create) await raw.query(sql);
      const swap = store.projections.swap(rebuild, { rebuild: lease, live }, options);
      expect((await errorOf('E_UNSAFE_STORE', swap)).message).toContain(name);
      await expectUntouched(test);
      await raw.query(drop);
    }
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
  },

  'W2: what holds the table delays the swap and nothing else': async (test) => {
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
    'W13: foreign keys are enforced again after a swap that was made, and after one that was refused': async (test) => {
      const { store, raw } = test;
      const live = await prepare(test);
      await raw.query('create table child (stream_id text references order_totals (stream_id))');
      await raw.query(`insert into child values ('Order-1')`);
      const expectEnforced = async () => {
        const lease = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
        const at = { lease, from: lease.position, to: lease.position, lastEventId: null };
        const changes = rowChanges(totals, [], [{ stream_id: 'Order-1' }]);
        await errorOf('E_HANDLER', store.projections.apply({ ...at, changes }));
        return lease;
      };
      const { rebuild, lease } = await buildNext(store, 2);
      await raw.query('create index late on order_totals (events)');
      await errorOf('E_UNSAFE_STORE', store.projections.swap(rebuild, { rebuild: lease, live }, options));
      const again = await expectEnforced();
      await raw.query('drop index late');
      await store.projections.swap(rebuild, { rebuild: lease, live: again }, options);
      await expectEnforced();
    },

    'W13: a trigger that the new table cannot have': async (test) => {
      const { store, raw } = test;
      const live = await startProjection(store);
      await raw.query('create table notes (total integer)');
      await raw.query(
        'create trigger needy after insert on order_totals begin insert into notes values (new.total); end',
      );
      const columns = totals.columns.filter(({ name }) => name !== 'total');
      const model: ReadModel = { kind: 'table', spec: { ...totals, columns, indexes: [] } };
      const { rebuild, lease } = await buildNext(store, 2, { model });
      const swap = store.projections.swap(rebuild, { rebuild: lease, live }, options);
      expect((await errorOf('E_UNSAFE_STORE', swap)).message).toContain('a trigger of order_totals');
      await expectUntouched(test);
      expect(await raw.query(`select tbl_name from sqlite_schema where name = 'needy'`)).toEqual([
        { tbl_name: 'order_totals' },
      ]);
    },

    'W13: a trigger': follows({
      name: 'noted',
      create: [
        'create table notes (stream_id text)',
        `create trigger noted after insert on order_totals begin insert into notes values (new.stream_id); end`,
      ],
      expectFollowed: async (raw) => {
        await raw.query(`delete from order_totals where stream_id = 'Order-9'; delete from notes`);
        await raw.query(`insert into order_totals (${columns}) values ('Order-9', 1, 1)`);
        expect(await raw.query(`select stream_id from notes`)).toEqual([{ stream_id: 'Order-9' }]);
        await raw.query(`delete from order_totals where stream_id = 'Order-9'`);
      },
    }),
  },
  { engines: ['sqlite'] },
);
