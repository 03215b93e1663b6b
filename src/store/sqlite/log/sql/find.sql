-- Reads the event of id ?1, if there is one. Columns as in cut-event.ts.
select id, global_position, version, schema_version, created_at, metadata, event_data, stream_type, event_type, stream_id
  from events
 where id = ?1
