-- Streams with count, first and last seen, last position. Placeholders are filled in by event-log.ts.
select stream_id, max(stream_type), count(*), to_json(min(created_at) at time zone 'UTC') #>> '{}',
       to_json(max(created_at) at time zone 'UTC') #>> '{}', max(global_position)
  from public.events
 where true /* filter */
 group by stream_id
 order by /* sort */ stream_id
 limit $1
