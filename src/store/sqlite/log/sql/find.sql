-- The event of id ?1, if there is one. Columns as in rows.ts.
select global_position, stream_id, version, event_type, schema_version, id, event_data, metadata, stream_type, created_at
  from events
 where id = ?1
