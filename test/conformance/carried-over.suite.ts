/** On Postgres, everything that can hang on a table at once: it is as it was after a swap, a rollback and another swap. */
import { expect } from 'vitest';
import type { ReadModel, Statement } from '../../src/domain/read-model.js';
import type { Lease } from '../../src/store/store.js';
import { listCatalog } from '../support/catalog.js';
import type { Raw, TestStore } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  registration,
  request,
  runToHead,
  takeLease,
  totals,
} from '../support/read-models.js';
import { suite } from './suite.js';

const options = { lockTimeoutMs: 10_000, keepOldMs: 3_600_000 };

const make = (before: string, table: string, after: string): Statement => ({
  parts: [
    { kind: 'text', text: before },
    { kind: 'identifier', name: table },
    { kind: 'text', text: after },
  ],
});

/** As a projection of statements makes it: with a serial column, a check, an index, a trigger and a key of its own. */
const model: ReadModel = {
  kind: 'sql',
  tables: [totals.name],
  create: (physical) => {
    const table = physical(totals.name);
    return [
      make(
        'create table ',
        table,
        ` (stream_id text primary key, events integer check (events > 0), total bigint, line serial,
           number integer generated always as identity, doubled bigint generated always as (total * 2) stored,
           parent text)`,
      ),
      make(
        'alter table ',
        table,
        ' add foreign key (parent) references order_totals (stream_id)'.replace('order_totals', table),
      ),
      make('create index on ', table, ' (total)'),
      make('create trigger own before insert on ', table, ' for each row execute function keep()'),
    ];
  },
};

const roles = (): readonly [string, string, string] => {
  const id = `${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  return [`evstore_owner_${id}`, `evstore_reader_${id}`, `evstore_writer_${id}`];
};

const hang = ([owner, reader, writer]: readonly [string, string, string]): string => `
  create table regions (name text primary key);
  insert into regions select 'Order-' || n from generate_series(0, 20) n;
  create table lines (id integer primary key, stream_id text, other text);
  create table notes (stream_id text);
  create table "Odd ""Name""" (n integer);
  grant create on schema public to ${owner};

  create index "Somebody's" on order_totals (lower(stream_id) text_pattern_ops, events desc) where total > 0;
  create unique index order_totals_by_hand on order_totals (stream_id, total) include (events);
  alter index "Somebody's" alter column 1 set statistics 50;
  comment on index "Somebody's" is 'for the search';
  alter table order_totals add constraint one_total unique (stream_id, events) deferrable initially deferred;
  alter table order_totals add constraint sane check (total < 1000000) not valid;
  comment on constraint sane on order_totals is 'nobody orders that much';
  alter table order_totals cluster on order_totals_pkey;
  alter table order_totals alter column events set default 1;
  alter table order_totals alter column stream_id set statistics 300;
  alter table order_totals alter column stream_id set storage external;
  alter table order_totals alter column total set (n_distinct = -0.5);
  alter table order_totals set (fillfactor = 80, autovacuum_enabled = false);
  create statistics related (dependencies, ndistinct) on events, total from order_totals;
  alter statistics related set statistics 40;
  comment on statistics related is 'they go together';

  alter table order_totals add constraint in_region foreign key (stream_id) references regions (name)
    on update cascade on delete restrict deferrable initially deferred;
  alter table lines add constraint of_order foreign key (stream_id) references order_totals (stream_id) on delete set null;
  alter table lines add foreign key (other) references order_totals match full on delete cascade;
  comment on constraint of_order on lines is 'a line belongs to an order';
  insert into lines values (1, 'Order-1', 'Order-2'), (2, null, 'Order-0');

  create view in_order as select stream_id as id, total from order_totals where events > 0 with local check option;
  alter view in_order set (security_barrier = true);
  alter view in_order alter column total set default 7;
  alter view in_order owner to ${owner};
  comment on view in_order is 'what is in order';
  comment on column in_order.total is 'in cents';
  grant select on in_order to ${reader};
  grant update (total) on in_order to ${writer} with grant option;
  create view on_top as select i.id, count(*) as "how many" from in_order i join regions r on r.name = i.id group by 1;
  create view together as select t.stream_id, on_top.* from order_totals t join on_top on on_top.id = t.stream_id;
  create view by_key as select stream_id, total, events from order_totals group by stream_id;
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
  create trigger in_place instead of insert on together for each row execute function refuse();
  create rule log_delete as on delete to by_key do instead delete from order_totals where stream_id = old.stream_id;

  create materialized view cache with (fillfactor = 70) as
    select o.stream_id, o.total, 'order_totals'::text as source from order_totals o join regions r on r.name = o.stream_id;
  create unique index on cache (stream_id);
  create index cache_total on cache (total);
  comment on materialized view cache is 'as of the last refresh';
  comment on index cache_total is 'for the top ten';
  alter materialized view cache owner to ${owner};
  grant select on cache to ${reader};
  create materialized view cache_of_cache as select max(total) as most from cache with no data;
  create view on_cache as select source, count(*) from cache group by source;

  create function note() returns trigger language plpgsql as
    $$ begin insert into public.notes values (new.stream_id); return null; end $$;
  create trigger noted after insert or update of total on order_totals
    for each row when (new.total > 0) execute function note();
  create trigger asleep before delete on order_totals for each statement execute function refuse();
  create constraint trigger later after insert on order_totals deferrable initially deferred
    for each row execute function note();
  alter table order_totals disable trigger asleep;
  alter table order_totals enable always trigger later;
  comment on trigger noted on order_totals is 'for the audit';
  create rule quiet as on update to order_totals where new.total < 0 do instead nothing;
  comment on rule quiet on order_totals is 'no debts';
  alter table order_totals disable rule quiet;
  create rule follow as on delete to notes do also delete from order_totals where false;

  alter table order_totals enable row level security;
  alter table order_totals force row level security;
  create policy everyone on order_totals using (true) with check (true);
  create policy own_region on order_totals as restrictive for select to ${reader}, ${writer}
    using (stream_id in (select name from regions where order_totals.total >= 0));
  comment on policy own_region on order_totals is 'by region';
  alter table lines enable row level security;
  create policy of_known on lines for insert with check (exists (select from order_totals t where t.stream_id = lines.other));

  grant select on order_totals to ${reader}, public;
  grant insert, delete on order_totals to ${writer} with grant option;
  grant update (total) on order_totals to ${writer};
  grant usage on sequence order_totals_line_seq to ${writer};
  comment on table order_totals is 'what each order adds up to';
  comment on column order_totals.total is 'in cents';
  comment on sequence order_totals_line_seq is 'lines are numbered';

  alter table order_totals replica identity using index order_totals_pkey;
  create publication feed for table order_totals;
  create publication all_of_it for all tables;
  create function total_of(id text) returns bigint language sql stable
    begin atomic select total from order_totals where stream_id = id; end;
`;

const hangFrom15 = `
  create publication narrow for table only order_totals (stream_id, total) where (total > 0);
  alter view on_top set (security_invoker = true);
  alter table lines add constraint to_null foreign key (other) references order_totals on delete set null (other);
`;

/** Nothing that a swap knows of. */
const strange = `
  create domain odd_domain as order_totals;
  create function odd_set() returns setof order_totals language sql as 'select * from order_totals';
  create function odd_step(order_totals, order_totals) returns order_totals language sql as 'select $1';
  create aggregate odd_aggregate (order_totals) (sfunc = odd_step, stype = order_totals);
  create table odd_default (n integer default nextval('order_totals_line_seq'));
`;

/** As Postgres lists it, but for the parts of the table that its definition makes: columns, their values, its type. */
const dependsOn = `
  with t as (select * from pg_class where oid = 'public.order_totals'::regclass),
  found as (
    select distinct d.classid, d.objid, d.objsubid, i.type, replace(i.identity, 'public.', '') as identity, i.identity as whole
      from t join pg_depend d on (d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid)
        or (d.refclassid = 'pg_type'::regclass and d.refobjid in (select oid from pg_type where t.reltype in (oid, typelem)))
        or (d.refclassid = 'pg_class'::regclass and d.refobjid in (
              select objid from pg_depend where refobjid = t.oid and deptype in ('a', 'i') and classid = 'pg_class'::regclass)),
      lateral pg_identify_object(d.classid, d.objid, d.objsubid) i
  )
  select distinct case
      when f.type = 'rule' then
        case when identity like '"\\_RETURN"%'
             then (select case c.relkind when 'm' then 'materialized view ' else 'view ' end || c.relname
                     from pg_rewrite r join pg_class c on c.oid = r.ev_class where r.oid = objid)
             else 'rule ' || identity end
      when f.type = 'table constraint' then
        (select case contype when 'f' then 'foreign key ' || conname || ' on ' || conrelid::regclass
                             when 'c' then 'check ' || conname when 't' then 'trigger ' || conname else 'index ' || conname end
           from pg_constraint where oid = objid)
      when f.type in ('trigger', 'policy') then f.type || ' ' || replace(identity, ' on order_totals', '')
      when f.type = 'statistics object' then 'statistics ' || identity
      when f.type = 'publication relation' then 'publication ' || split_part(identity, ' in publication ', 2)
      when f.type = 'default value' and whole ~ 'public.order_totals.' then 'default ' || split_part(identity, '.', 2)
      when f.type = 'index' then 'index ' || (select relname from pg_class where oid = objid)
      when f.type = 'sequence' then 'sequence ' || identity
      else f.type || ' ' || whole end as what
    from found f, t
   where objid <> t.oid and f.type not in ('toast table', 'type') and whole !~ 'pg_toast'
     and not (f.classid = 'pg_trigger'::regclass and (select tgisinternal from pg_trigger where oid = objid))
     and not (f.classid = 'pg_constraint'::regclass and (select contype from pg_constraint where oid = objid) = 'n')
     and not (f.type = 'default value' and identity ~ 'order_totals.(line|doubled)$')
   order by 1`;

async function versionOf(raw: Raw): Promise<number> {
  const [row] = await raw.query(`select current_setting('server_version_num')::integer / 10000 as version`);
  return Number(row?.version);
}

async function start({ store, raw }: TestStore): Promise<Lease> {
  await raw.query('create function keep() returns trigger language plpgsql as $$ begin return new; end $$');
  await store.projections.register({ ...registration, model });
  const lease = await takeLease(store, checkpointOf(totals.name));
  for (let index = 0; index < 6; index++) await append(store, `Order-${index % 3}`, makeEvents(2));
  await runToHead(store, lease);
  return lease;
}

async function withRoles(raw: Raw, body: (names: ReturnType<typeof roles>) => Promise<void>): Promise<void> {
  const names = roles();
  for (const name of names) await raw.query(`create role ${name}`);
  try {
    await body(names);
  } finally {
    await raw.query(`reassign owned by ${names[0]} to current_user; drop owned by ${names.join()}`);
    await raw.query(`drop role ${names.join()}`);
  }
}

const again = (store: TestStore['store']) => takeLease(store, checkpointOf(totals.name), { ...request, steal: true });

export const carriedOverSuite = suite(
  'everything at once',
  {
    'W5 W6: the catalog says the same before and after a swap, a rollback and a second swap': async (test) => {
      const { store, raw } = test;
      await start(test);
      await withRoles(raw, async (names) => {
        await raw.query(hang(names));
        if ((await versionOf(raw)) >= 15) await raw.query(hangFrom15);
        await raw.query(`alter table order_totals owner to ${names[0]}`);
        const before = await listCatalog(raw);
        const [facts] = await store.projections.inspectTables([totals.name]);
        expect(facts?.blocking).toEqual([]);

        const { rebuild, lease } = await buildNext(store, 2, { model });
        expect(await listCatalog(raw)).toEqual(before);
        const swapped = await store.projections.swap(rebuild, { rebuild: lease, live: await again(store) }, options);
        expect(await listCatalog(raw)).toEqual(before);
        const [after] = await store.projections.inspectTables([totals.name]);
        expect(after).toMatchObject({ carried: facts?.carried, indexes: facts?.indexes });
        expect(await raw.query('select stream_id, total from cache order by 1')).toEqual(
          await raw.query('select stream_id, total from order_totals order by 1'),
        );
        await expectFold(store, (await store.log.head()).safeHead);

        const live = await again(store);
        const current = (await store.projections.rebuilds(totals.name))[0] ?? swapped;
        const back = await store.projections.rollback(current, { rebuild: lease, live }, options);
        expect(await listCatalog(raw)).toEqual(before);

        const forth = await store.projections.swap(back, { rebuild: lease, live: await again(store) }, options);
        expect(await listCatalog(raw)).toEqual(before);
        await store.projections.retire(forth);
        expect(await listCatalog(raw)).toEqual(before);
        const [row] = await raw.query(
          `insert into order_totals (stream_id, total) values ('Order-9', 3) returning line, events`,
        );
        expect(row).toMatchObject({ events: 1 });
        expect(Number(row?.line)).toBeGreaterThan(0);
        expect(await raw.query(`select source, count from on_cache`)).toEqual([{ source: 'order_totals', count: '3' }]);
      });
    },

    'W5: whatever depends on a table, by the word of Postgres, is either carried over or refused': async (test) => {
      const { store, raw } = test;
      await start(test);
      await withRoles(raw, async (names) => {
        await raw.query(hang(names));
        await raw.query(strange);
        const [facts] = await store.projections.inspectTables([totals.name]);
        const known = new Set([
          ...[...(facts?.carried ?? []), ...(facts?.blocking ?? [])].map(({ kind, name }) => `${kind} ${name}`),
          ...(facts?.indexes ?? []).map((name) => `index ${name}`),
        ]);
        const depending = await raw.query(dependsOn);
        expect(depending.length).toBeGreaterThan(30);
        const unknown = depending.map(({ what }) => String(what)).filter((what) => !known.has(what));
        expect(unknown).toEqual([]);
        const blocking = facts?.blocking.map(({ kind, name }) => `${kind} ${name}`).join('\n');
        for (const name of ['odd_domain', 'odd_aggregate', 'odd_set', 'odd_default']) expect(blocking).toContain(name);
      });
    },
  },
  { engines: ['postgres'] },
);
