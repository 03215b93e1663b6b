-- The log, its global order, and its immutability. Any program may insert rows with version = max(version) + 1 of the
-- stream and leave the rest to the defaults: the database keeps the order and refuses changes.
-- event_data and metadata are json, not jsonb: digits, spelling and key order come back as they were written.

create table public.events (
  id uuid not null default gen_random_uuid(),
  stream_id varchar(255) collate "C" not null,
  stream_type varchar(255) not null default '',
  event_type varchar(255) collate "C" not null,
  schema_version integer not null default 1,
  event_data json not null,
  metadata json not null default '{}',
  version bigint not null,
  global_position bigint generated always as identity
    (sequence name public.events_global_position_seq minvalue 1 maxvalue 281474976710655 cache 1),
  created_at timestamptz not null default clock_timestamp(),
  constraint events_pkey primary key (global_position),
  constraint events_id_key unique (id),
  constraint events_stream_version_key unique (stream_id, version),
  constraint events_stream_id_check check (stream_id <> '' and octet_length(stream_id) <= 512),
  constraint events_event_type_check check (event_type <> ''),
  constraint events_schema_version_check check (schema_version > 0),
  constraint events_event_data_check check (octet_length(event_data::text) <= 1048576),
  constraint events_metadata_check check (octet_length(metadata::text) <= 1048576),
  constraint events_version_check check (version > 0 and version <= 9007199254740991)
)
-- A plan made while the table is small is kept as it grows. Postgres assumes that a table without statistics is larger,
-- and reads it by its keys, so the first statistics come late.
with (autovacuum_analyze_threshold = 1000);

create index events_type_position_idx on public.events (event_type, global_position);

-- Time rises with position except for imported events, so a block range index serves and costs an append almost nothing. With
-- positions it tells quickly whether an event is on the wrong side of a position, for its time.
create index events_created_at_idx on public.events using brin (created_at, global_position)
  with (pages_per_range = 16, autosummarize = on);

-- Global order without gaps in what a reader has seen: the in-flight floor.
--
-- Each transaction that inserts holds, in a shared advisory lock, a lower bound of the positions it may take. A reader
-- takes the highest visible position H, then the smallest bound F that any transaction holds, and may read up to
-- min(H, F). A position p <= H was drawn before H was read, so its writer held its lock by then; locks are released only
-- after the transaction has become visible, so a writer still invisible afterwards still held it when F was read: F < p.
--
-- The key of the lock is a 16-bit number of this store (evstore_meta.tag) followed by 48 bits of the bound.
--
-- The first statement of a transaction that writes, usually the only one, has less to do: that there is no transaction id
-- yet shows that there is no floor. Later statements look for the setting, so a transaction has two floors at most.
-- ROLLBACK TO undoes lock and setting together, but not the id.
--
-- Runs as its owner without a search_path setting, which would cost more than the rest of the function: every name and
-- every operator is qualified. A call in an expression costs a fraction of a statement; its result is ignored.
--
-- A position is refused when the sequence is behind the log: after a restore or a switch of servers it would draw positions
-- that readers have passed. The log is read first, so that a sequence that is right is never behind. The sequence is read
-- once, for this check and for the bound, which may be lower than necessary.
create function public.evstore_floor_events() returns trigger
language plpgsql volatile security definer as $$
declare
  is_first boolean := pg_catalog.pg_current_xact_id_if_assigned() is null;
  is_done boolean;
  highest bigint;
  last bigint;
begin
  if not is_first and pg_catalog.current_setting('evstore.floor_/*tag*/1', true)
                      operator(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text then
    return null;
  end if;
  highest := (select e.global_position from public.events e order by e.global_position desc limit 1);
  last := coalesce(pg_catalog.pg_sequence_last_value('public.events_global_position_seq'), 0);
  if highest operator(pg_catalog.>) last then
    raise exception 'the sequence of positions is behind the log, which ends at %', highest using errcode = 'EV004';
  end if;
  is_done := pg_catalog.pg_advisory_xact_lock_shared(
    (/*tag*/1::bigint operator(pg_catalog.<<) 48) operator(pg_catalog.|) last) is null;
  -- After the lock: a cancelled wait must leave neither behind.
  if is_first then
    is_done := pg_catalog.pg_current_xact_id() is null;
  else
    is_done := pg_catalog.set_config(
      'evstore.floor_/*tag*/1', pg_catalog.pg_current_xact_id()::pg_catalog.text, true) is null;
  end if;
  return null;
end
$$;

-- Triggers fire in the order of their names: this one is first, before any other could draw a position.
create trigger "00_evstore_floor" before insert on public.events
  for each statement execute function public.evstore_floor_events();
alter table public.events enable always trigger "00_evstore_floor";

-- The version before must be there, at a lower position. Looked up for all rows of a statement at once: a trigger for each
-- row would take longer than storing it. Runs as its owner, who sees all events; without settings, as above.
create function public.evstore_refuse_holes() returns trigger
language plpgsql volatile security definer as $$
declare
  hole record;
begin
  select i.stream_id, i.version into hole
    from inserted i
   where i.version operator(pg_catalog.>) 1
     and not exists (
       select from public.events e
        where e.stream_id operator(pg_catalog.=) i.stream_id
          and e.version operator(pg_catalog.=) (i.version operator(pg_catalog.-) 1)
          and e.global_position operator(pg_catalog.<) i.global_position)
   limit 1;
  if found then
    raise exception 'version % of stream % does not follow an earlier event of version %',
                    hole.version, hole.stream_id, hole.version operator(pg_catalog.-) 1 using errcode = 'EV005';
  end if;
  return null;
end
$$;

create trigger evstore_versions after insert on public.events
  referencing new table as inserted
  for each statement execute function public.evstore_refuse_holes();
alter table public.events enable always trigger evstore_versions;

-- Three statements in this order, each with its own snapshot; the caller reads rows in a fourth. Merged into one
-- statement, or declared stable, it would lose events. When nothing is visible beyond "after" the locks are not read.
create function public.evstore_safe_head(after bigint default -1) returns bigint
language plpgsql volatile parallel unsafe set search_path = pg_catalog, pg_temp as $$
declare
  highest bigint;
  lowest_floor bigint;
begin
  if pg_is_in_recovery() then
    raise exception 'a standby cannot tell which positions are still open' using errcode = 'EV002';
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the safe head needs READ COMMITTED, not %', current_setting('transaction_isolation')
      using errcode = 'EV003';
  end if;
  select coalesce(max(global_position), 0) into highest from public.events;
  if highest <= after then
    return highest;
  end if;
  select min(((classid::bigint & 65535) << 32) | objid::bigint) into lowest_floor
    from pg_locks
   where locktype = 'advisory' and objsubid = 1 and granted and (classid::bigint >> 16) = /*tag*/1
     and database = (select oid from pg_database where datname = current_database());
  return least(highest, lowest_floor);
end
$$;

-- Events stay as they are: UPDATE, DELETE and TRUNCATE are refused to every account.
create function public.evstore_refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on % is refused: events are immutable', tg_op, tg_table_name
    using errcode = 'EV001', hint = 'Append a correcting event instead.';
end
$$;

create trigger evstore_immutable before update or delete or truncate on public.events
  for each statement execute function public.evstore_refuse_change();
alter table public.events enable always trigger evstore_immutable;
