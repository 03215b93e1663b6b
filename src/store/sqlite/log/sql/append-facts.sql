-- Reads the facts about a failed append to stream ?1 with the ids ?2 (a JSON array), in one snapshot: `known` rows have
-- an id of the request, `last` rows are the newest events of the stream, newest first.
select 'known', id, stream_id, version, global_position, event_type, event_data, metadata
  from events
 where id in (select value from json_each(?2))
union all
select 'last', id, stream_id, version, global_position, event_type, null, null
  from (select * from events where stream_id = ?1 order by version desc limit 5)
