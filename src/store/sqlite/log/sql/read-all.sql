-- Reads the log from ?1 (exclusive) to ?2 (inclusive), at most ?3 events. The marker becomes desc to read newest first.
-- One text a row, with the columns of cut-event.ts.
select concat_ws(char(31), lower(id), global_position, version, schema_version, created_at, metadata, event_data,
                 stream_type, event_type, stream_id)
  from events
 where global_position > ?1 and global_position <= ?2 /* filter */
 order by global_position /* desc */
 limit ?3
