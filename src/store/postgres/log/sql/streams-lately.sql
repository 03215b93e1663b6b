-- Lists the $1 streams whose last events are the newest, as streams.sql, of those with an event after position $2.
-- streams.ts fills in the markers.
select e.stream_id, greatest(f.stream_type, e.stream_type), e.version, to_json(f.created_at at time zone 'UTC') #>> '{}',
       to_json(e.created_at at time zone 'UTC') #>> '{}', e.global_position
  from (
    select stream_id, stream_type, version, created_at, global_position
      from public.events e
     where global_position > $2
       and version = (select max(version) from public.events where stream_id = e.stream_id) /* category */
     order by global_position desc
     limit $1
  ) e
 cross join lateral (
    select stream_type, created_at
      from public.events
     where stream_id = e.stream_id
     order by version
     limit 1
  ) f
 order by e.global_position desc
