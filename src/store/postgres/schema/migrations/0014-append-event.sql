-- The usual append is one event: a function of its own, without arrays, and a floor that costs less.

-- As before, with less to do for the first statement of a transaction that writes, which is the only one as a rule: that
-- there is no transaction id yet says that there is no floor. Later ones look for the setting, so a transaction has
-- two floors at most, however many statements. ROLLBACK TO undoes lock and setting together, but not the id.
--
-- Runs as its owner without a search_path of its own, which would cost more than all the rest: every name and every
-- operator is qualified. A call in an expression costs a fraction of a statement; what it returns is not looked at.
create or replace function public.evstore_floor_events() returns trigger
language plpgsql volatile security definer as $$
declare
  is_first boolean := pg_catalog.pg_current_xact_id_if_assigned() is null;
  is_done boolean;
begin
  if not is_first and pg_catalog.current_setting('evstore.floor_/*tag*/1', true)
                      operator(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text then
    return null;
  end if;
  is_done := pg_catalog.pg_advisory_xact_lock_shared(
    (/*tag*/1::bigint operator(pg_catalog.<<) 48) operator(pg_catalog.|)
    coalesce(pg_catalog.pg_sequence_last_value('public.events_global_position_seq'), 0)) is null;
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
-- What is replaced keeps the settings it had.
alter function public.evstore_floor_events() reset all;

-- A plan made while the table is small is kept as it grows. A table of unknown size is taken for a larger one, and read by
-- its keys: it stays unknown until it is one.
alter table public.events set (autovacuum_analyze_threshold = 1000);

-- Appends one event to a stream; expected: -1 any, -2 exists, otherwise the version the stream must be at. Version and
-- position. created_at may be null: the clock decides. The statement after the lock has a newer snapshot than the lock,
-- so whoever waited sees what it waited for. Without settings of its own: each would cost as much as the look-up.
create function public.evstore_append_event(
  stream varchar, expected bigint, id uuid, type varchar, schema_version integer, data json, metadata json,
  stream_type varchar, created_at timestamptz, out version bigint, out global_position bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
  is_locked boolean := public.evstore_lock_stream(stream) is null;
begin
  insert into public.events
    (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
  select evstore_append_event.id, stream, evstore_append_event.stream_type, type, evstore_append_event.schema_version,
         data, evstore_append_event.metadata, ends.actual operator(pg_catalog.+) 1,
         coalesce(evstore_append_event.created_at, pg_catalog.clock_timestamp())
    from (select coalesce(
            (select e.version from public.events e where e.stream_id operator(pg_catalog.=) stream
              order by e.version desc limit 1), 0) as actual offset 0) as ends
   where expected operator(pg_catalog.=) -1 or expected operator(pg_catalog.=) ends.actual
      or (expected operator(pg_catalog.=) -2 and ends.actual operator(pg_catalog.>) 0)
  returning events.version, events.global_position
       into evstore_append_event.version, evstore_append_event.global_position;
  if not found then
    raise exception 'stream % is not at the version it was expected at', stream using errcode = 'EV010';
  end if;
end
$$;
