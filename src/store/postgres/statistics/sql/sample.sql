-- Lists the events after each of the positions $1 up to the one at the same place in $2: position, stream, version, type,
-- schema version, time, bytes of data and metadata.
select e.global_position, e.stream_id, e.version, e.event_type, e.schema_version,
       to_json(e.created_at at time zone 'UTC') #>> '{}', octet_length(e.event_data::text) + octet_length(e.metadata::text)
  from unnest($1::bigint[], $2::bigint[]) with ordinality as r (after, upto, place)
 cross join lateral (
    select *
      from public.events
     where global_position > r.after and global_position <= r.upto
     order by global_position
    offset 0
  ) e
