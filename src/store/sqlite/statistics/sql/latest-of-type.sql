-- Reads the last ?2 events of type ?1, newest first. One text a row, with the columns of cut-event.ts.
select concat_ws(char(31), lower(id), global_position, version, schema_version, created_at, metadata, event_data,
                 stream_type, event_type, stream_id)
  from events
 where event_type = ?1
 order by global_position desc
 limit ?2
