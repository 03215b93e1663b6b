-- Reads the log from $1 (exclusive) to $2 (inclusive), at most $3 events. The marker becomes desc to read newest first.
-- Columns as in cut-event.ts.
select id, global_position, version, schema_version, to_json(created_at at time zone 'UTC'), metadata, event_data,
       stream_type, event_type, stream_id
  from public.events
 where global_position > $1 and global_position <= $2 /* filter */
 order by global_position /* desc */
 limit $3
