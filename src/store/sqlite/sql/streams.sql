-- Streams with count, first and last seen, last position. Placeholders are filled in by event-log.ts.
select stream_id, max(stream_type), count(*), min(created_at), max(created_at), max(global_position)
  from events
 where true /* filter */
 group by stream_id
 order by /* sort */ stream_id
 limit ?1
