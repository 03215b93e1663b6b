-- Lists up to $1 snapshots: stream, type, version, version of the stream, bytes, time. Only those of stream type $2 unless
-- it is null, and with $3 = 1 only those of another version than their stream.
select *
  from (
    select s.stream_id, s.stream_type, s.version,
           coalesce((select e.version from public.events e where e.stream_id = s.stream_id order by e.version desc limit 1), 0)
             as stream_version,
           octet_length(s.snapshot_data::text) as bytes, to_json(s.created_at at time zone 'UTC') #>> '{}' as created_at
      from public.snapshots s
     where ($2::text is null or s.stream_type = $2) /* names */
  ) s
 where $3::integer = 0 or s.stream_version <> s.version
 order by /* sort */ s.stream_id
 limit $1
