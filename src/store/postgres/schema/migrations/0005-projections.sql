-- The registered projections.

-- tables: the live ones, by the names readers use.
-- target: the live read model as the projection's own code names it; null when its rows are in this database.
-- parts: 1 has the checkpoint NAME, more have NAME#1/n ... NAME#n/n.
-- inline_rest_token: while the lease with this token is held, appends leave their events to the runner, because a swap is
-- about to take the tables.
create table public.evstore_projections (
  name text not null,
  version integer not null,
  code_hash text not null,
  tables json not null,
  registered_at timestamptz not null default clock_timestamp(),
  target text,
  parts integer not null default 1,
  inline_rest_token bigint,
  constraint evstore_projections_pkey primary key (name),
  constraint evstore_projections_parts_check check (parts between 1 and 256)
);

-- Events beyond a checkpoint that are in the rows already, because the append that wrote them applied them too. A mark is
-- deleted when the checkpoint passes its event. rebuild: 0 for the live tables, otherwise the tables of that rebuild.
create table public.evstore_inlined (
  projection text not null,
  rebuild bigint not null default 0,
  global_position bigint not null,
  constraint evstore_inlined_pkey primary key (projection, rebuild, global_position)
);

-- Locks projections until the transaction ends: shared for appends that write their rows, exclusive for a swap, which
-- waits for those appends. The names come sorted, so that two transactions cannot wait for each other. Returns, in a newer
-- snapshot than the locks, which code made the live rows of each, and whether a swap is about to take them. A projection
-- that runs in parts is not written by appends. The first number of the key is "Ev" and the tag of the store; keys of two numbers never collide with those of
-- one, which the floor and the streams have.
create function public.evstore_lock_projections(names text[], is_exclusive boolean)
returns table (name text, version integer, code_hash text, rests boolean)
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  for place in 1 .. cardinality(names) loop
    if is_exclusive then
      perform pg_advisory_xact_lock(1165361152 + /*tag*/1, hashtext(names[place]));
    else
      perform pg_advisory_xact_lock_shared(1165361152 + /*tag*/1, hashtext(names[place]));
    end if;
  end loop;
  return query
    select p.name, p.version, p.code_hash,
           exists (select from public.subscription_checkpoints c
                    where c.subscription_id = p.name and c.token = p.inline_rest_token and c.owner is not null
                      and c.lease_expires_at > clock_timestamp())
      from public.evstore_projections p
     where p.name = any(names) and p.parts = 1;
end
$$;
