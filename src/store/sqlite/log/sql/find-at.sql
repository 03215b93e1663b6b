-- Reads the event at position ?1, value by value. Columns as in cut-event.ts.
select id, global_position, version, schema_version, created_at, metadata, event_data, stream_type, event_type, stream_id
  from events
 where global_position = ?1
