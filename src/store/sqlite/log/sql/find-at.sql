-- The event at position ?1, value by value. Columns as in rows.ts.
select global_position, stream_id, version, event_type, schema_version, id, event_data, metadata, stream_type, created_at
  from events
 where global_position = ?1
