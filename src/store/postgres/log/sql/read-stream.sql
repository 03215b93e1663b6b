-- Reads stream $1 from version $2 to $3 (inclusive), at most $4 events. The marker becomes desc to read newest first.
-- Columns as in cut-event.ts.
select id, global_position, version, schema_version, to_json(created_at at time zone 'UTC'), metadata, event_data,
       stream_type, event_type, stream_id
  from public.events
 where stream_id = $1 and version >= $2 and version <= $3 /* filter */
 order by version /* desc */
 limit $4
