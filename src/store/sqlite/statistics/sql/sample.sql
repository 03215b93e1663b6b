-- Lists the events after position ?1 up to ?2: position, stream, version, type, schema version, time, bytes of data and
-- metadata.
select global_position, stream_id, version, event_type, schema_version, created_at,
       octet_length(event_data) + octet_length(metadata)
  from events
 where global_position > ?1 and global_position <= ?2
 order by global_position
