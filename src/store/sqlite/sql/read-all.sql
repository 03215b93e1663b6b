-- The log from ?1 (exclusive) to ?2 (inclusive), oldest first, at most ?3 events. Columns as in rows.ts.
select global_position, stream_id, version, event_type, schema_version, id, event_data, metadata, stream_type, created_at
  from events
 where global_position > ?1 and global_position <= ?2 /* filter */
 order by global_position
 limit ?3
