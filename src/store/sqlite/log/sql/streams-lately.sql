-- Lists the ?1 streams whose last events are the newest, as streams.sql, of those with an event after position ?2.
-- streams.ts fills in the markers. Not indexed: read by position, since the index of streams would sort all of a
-- category.
select e.stream_id, max(f.stream_type, e.stream_type), e.version, f.created_at, e.created_at, e.global_position
  from (
    select stream_id, stream_type, version, created_at, global_position
      from events e not indexed
     where global_position > ?2
       and version = (select max(version) from events where stream_id = e.stream_id) /* category */
     order by global_position desc
     limit ?1
  ) e
  join events f on f.global_position = (
    select global_position
      from events
     where stream_id = e.stream_id
     order by version
     limit 1
  )
 order by e.global_position desc
