-- Counts the events of stream $1 that have one of the versions $2, and adds up the bytes of their data and metadata. Each is
-- looked up in the index.
select count(*), coalesce(sum(octet_length(e.event_data::text) + octet_length(e.metadata::text)), 0)::bigint
  from unnest($2::bigint[]) as v (version)
 cross join lateral (
    select event_data, metadata
      from public.events
     where stream_id = $1 and version = v.version
    offset 0
  ) e
