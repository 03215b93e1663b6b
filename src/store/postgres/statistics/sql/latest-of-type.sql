-- Reads the last $2 events of type $1, newest first. Columns as in cut-event.ts. Ranges instead of an equation: otherwise
-- Postgres may look for them from the end of the log.
select id, global_position, version, schema_version, to_json(created_at at time zone 'UTC'), metadata, event_data,
       stream_type, event_type, stream_id
  from public.events
 where event_type >= $1 and event_type <= $1
 order by event_type desc, global_position desc
 limit $2
