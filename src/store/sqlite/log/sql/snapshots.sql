-- Lists up to ?1 snapshots: stream, type, version, version of the stream, bytes, time. Only those of stream type ?2 unless
-- it is null, and with ?3 = 1 only those of another version than their stream.
select *
  from (
    select s.stream_id, s.stream_type, s.version,
           coalesce((select e.version from events e where e.stream_id = s.stream_id order by e.version desc limit 1), 0)
             as stream_version,
           octet_length(s.snapshot_data) as bytes, s.created_at
      from snapshots s
     where (?2 is null or s.stream_type = ?2) /* names */
  ) s
 where ?3 = 0 or s.stream_version <> s.version
 order by /* sort */ s.stream_id
 limit ?1
