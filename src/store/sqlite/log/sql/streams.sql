-- Lists streams with type, number of events, first and last time, last position: the first ?2 by name unless null, of
-- these ?1 unless null. From each stream the index leads to the next, so that no more than two events of each are read:
-- versions have no gaps, so the last one is the number of events. streams.ts fills in the markers.
with recursive names (stream_id, stream_type, created_at, place) as (
  select * from (
    select stream_id, stream_type, created_at, 1
      from events
     where /* from */ stream_id > '' /* category */
     order by stream_id, version
     limit 1
  )
  union all
  select next.stream_id, next.stream_type, next.created_at, n.place + 1
    from names n
    join events next on next.global_position = (
      select global_position
        from events
       where stream_id > n.stream_id /* category */
       order by stream_id, version
       limit 1
    )
   where ?2 is null or n.place < ?2
)
select n.stream_id, max(n.stream_type, e.stream_type), e.version, n.created_at, e.created_at, e.global_position
  from names n
  join events e on e.global_position = (
    select global_position
      from events
     where stream_id = n.stream_id
     order by version desc
     limit 1
  )
 order by /* sort */ n.stream_id
 limit coalesce(?1, -1)
