-- Writing in one round trip. Conflicts are raised; the client then reads the facts and decides which outcome it was.

-- Serialises appends to one stream, so that positions follow versions and rivals queue instead of failing. The top bit
-- keeps these keys apart from the floor's. Without a search_path of its own, so that Postgres can inline it.
create function public.evstore_lock_stream(stream text) returns void
language sql volatile as $$
  select pg_catalog.pg_advisory_xact_lock(
    pg_catalog.hashtextextended(stream, /*tag*/1) operator(pg_catalog.|) (-9223372036854775808)::bigint)
$$;

-- expected: -1 any, -2 exists, otherwise the version the stream must be at. Arrays have one element per event; an
-- element of created_ats may be null: the clock decides. Returns version and position in the order given.
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

-- Events of many streams in the order given, each at the next version of its stream. Returns how many there were and
-- how many streams are new. The streams are locked when they are few enough for the lock table; the unique key guards
-- the rest.
create function public.evstore_import(
  streams text[], ids uuid[], types text[], schema_versions integer[], datas text[], metadatas text[],
  stream_types text[], created_ats text[])
returns table (imported bigint, new_streams bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  distinct_streams text[] := array(select distinct s from unnest(streams) s order by s);
begin
  if cardinality(distinct_streams) <= 256 then
    perform public.evstore_lock_stream(s) from unnest(distinct_streams) s;
  end if;
  return query
    with ends as materialized (
      select s.stream_id, coalesce(e.version, 0) as version
        from unnest(distinct_streams) as s(stream_id)
        left join lateral (
          select e.version from public.events e where e.stream_id = s.stream_id order by e.version desc limit 1
        ) e on true
    ), inserted as (
      insert into public.events
        (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
      select n.id, n.stream_id, n.stream_type, n.type, n.schema_version, n.data::json, n.metadata::json,
             ends.version + row_number() over (partition by n.stream_id order by n.place),
             coalesce(n.created_at::timestamptz, clock_timestamp())
        from unnest(streams, ids, types, schema_versions, datas, metadatas, stream_types, created_ats) with ordinality
             as n(stream_id, id, type, schema_version, data, metadata, stream_type, created_at, place)
        join ends using (stream_id)
       order by n.place
      returning version
    )
    select count(*), count(*) filter (where version = 1) from inserted;
end
$$;
