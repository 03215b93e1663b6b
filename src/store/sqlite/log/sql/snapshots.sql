-- Lists up to ?1 snapshots: stream, type, version, version of the stream, bytes, time, aggregate, state version, hash of the
-- code, id of its last event, id of the event that the stream has at its version. Only those of stream type ?2, and of
-- streams after ?3 by name, unless these are null.
select *
  from (
    select s.stream_id, s.stream_type, s.version,
           coalesce((select e.version from events e where e.stream_id = s.stream_id order by e.version desc limit 1), 0)
             as stream_version,
           octet_length(s.snapshot_data) as bytes, s.created_at,
           s.aggregate, s.state_version, s.code_hash, s.event_id,
           (select e.id from events e where e.stream_id = s.stream_id and e.version = s.version) as stored_id
      from snapshots s
     where (?2 is null or s.stream_type = ?2) and (?3 is null or s.stream_id > ?3) /* names */
  ) s
 order by /* sort */ s.stream_id
 limit ?1
