-- Reads the log from ?1 (exclusive) to ?2 (inclusive), at most ?3 events, each as the line to print: see read-lines.ts.
-- The marker becomes desc to read newest first.
select concat('{"globalPosition":', global_position, ',"streamId":', json_quote(stream_id), ',"version":', version,
              ',"type":', json_quote(event_type), ',"schemaVersion":', schema_version, ',"id":"', lower(id),
              '","data":', event_data, ',"metadata":', metadata, ',"streamType":', json_quote(stream_type),
              ',"createdAt":"', replace(created_at, '000Z', 'Z'), '"}')
  from events
 where global_position > ?1 and global_position <= ?2 /* filter */
 order by global_position /* desc */
 limit ?3
