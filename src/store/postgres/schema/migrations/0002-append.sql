-- Appending in one round trip. Conflicts are raised; the client then reads the facts and decides which outcome it was.

-- Serialises appends to one stream, so that positions follow versions and rivals queue instead of failing. The top bit
-- separates these keys from the floor's. It has no search_path setting, so that Postgres can inline it.
create function public.evstore_lock_stream(stream text) returns void
language sql volatile as $$
  select pg_catalog.pg_advisory_xact_lock(
    pg_catalog.hashtextextended(stream, /*tag*/1) operator(pg_catalog.|) (-9223372036854775808)::bigint)
$$;

-- Appends one event to a stream, the usual case: without arrays. expected: -1 any, -2 exists, any other number is the
-- version the stream must be at. created_at may be null: then the clock decides. Returns version and position. The
-- statement after the lock has a newer snapshot than the lock, so it sees what the lock waited for. The function has no
-- settings: each would cost as much as the look-up.
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

-- Appends many events to one stream; expected as above. Arrays have one element per event; an element of created_ats may
-- be null. Returns version and position in the order given.
-- Scans of the whole table are off because a plan made while the table was empty would be kept as it grows.
create function public.evstore_append(
  stream text, expected bigint, ids uuid[], types text[], schema_versions integer[],
  datas text[], metadatas text[], stream_types text[], created_ats text[])
returns table (version bigint, global_position bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  actual bigint;
begin
  perform public.evstore_lock_stream(stream);
  select coalesce(max(e.version), 0) into actual from public.events e where e.stream_id = stream;
  if (expected >= 0 and expected <> actual) or (expected = -2 and actual = 0) then
    raise exception 'stream % is at version %', stream, actual using errcode = 'EV010';
  end if;
  return query
    insert into public.events
      (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
    select n.id, stream, n.stream_type, n.type, n.schema_version, n.data::json,
           n.metadata::json, actual + n.place, coalesce(n.created_at::timestamptz, clock_timestamp())
      from unnest(ids, types, schema_versions, datas, metadatas, stream_types, created_ats) with ordinality
           as n(id, type, schema_version, data, metadata, stream_type, created_at, place)
     order by n.place
    returning events.version, events.global_position;
end
$$;
