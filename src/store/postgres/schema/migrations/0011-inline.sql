-- Which events beyond a checkpoint are in the rows already, because the append that wrote them applied them too. A mark goes
-- when the checkpoint passes its event. rebuild: 0 for the live tables, otherwise the tables that stand beside them in
-- that rebuild.

create table public.evstore_inlined (
  projection text not null,
  rebuild bigint not null default 0,
  global_position bigint not null,
  constraint evstore_inlined_pkey primary key (projection, rebuild, global_position)
);

-- Until then appends leave their events to the runner: a swap is about to take the tables.
alter table public.evstore_projections add column inline_rests_until timestamptz;

-- Held until the transaction ends by whoever writes rows of these projections out of the order of the log: shared by
-- appends whose rows belong to one stream, exclusive by other appends, by the runner beside them, and by a swap. The
-- names come sorted, so that two of us cannot wait for each other. Then, in a newer snapshot: which code made the live
-- rows of each. A projection that runs in parts is not written by appends. The first number of the key is "Ev" and the
-- tag of the store; keys of two numbers are apart from those of one, as the floor and the streams have them.
create function public.evstore_lock_projections(names text[], exclusive boolean[])
returns table (name text, version integer, code_hash text)
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  for place in 1 .. cardinality(names) loop
    if exclusive[place] then
      perform pg_advisory_xact_lock(1165361152 + /*tag*/1, hashtext(names[place]));
    else
      perform pg_advisory_xact_lock_shared(1165361152 + /*tag*/1, hashtext(names[place]));
    end if;
  end loop;
  return query
    select p.name, p.version, p.code_hash
      from public.evstore_projections p
     where p.name = any(names) and p.parts = 1
       and (p.inline_rests_until is null or p.inline_rests_until <= clock_timestamp());
end
$$;
