-- Reads the facts about a failed append to stream $1 with the ids $2, in one snapshot: `known` rows have an id of the
-- request, `last` rows are the newest events of the stream, newest first.
select 'known', id, stream_id, version, global_position, event_type, event_data::text, metadata::text
  from public.events
 where id = any($2::uuid[])
union all
select 'last', id, stream_id, version, global_position, event_type, null, null
  from (select * from public.events where stream_id = $1 order by version desc limit 5) as newest
