-- Reads stream ?1 from version ?2 to ?3 (inclusive), at most ?4 events. The marker becomes desc to read newest first.
-- One text a row, with the columns of cut-event.ts.
select concat_ws(char(31), lower(id), global_position, version, schema_version, created_at, metadata, event_data,
                 stream_type, event_type, stream_id)
  from events
 where stream_id = ?1 and version >= ?2 and version <= ?3 /* filter */
 order by version /* desc */
 limit ?4
