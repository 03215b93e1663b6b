-- Stream ?1 from version ?2 to ?3 (inclusive), oldest first, at most ?4 events. Columns as in rows.ts.
select global_position, stream_id, version, event_type, schema_version, id, event_data, metadata, stream_type, created_at
  from events
 where stream_id = ?1 and version >= ?2 and version <= ?3 /* filter */
 order by version
 limit ?4
