-- Returns the snapshot of stream $1: stream, type, version, version of the stream, bytes, time, aggregate, state version,
-- hash of the code, id of its last event, id of the event that the stream has at its version, data.
select s.stream_id, s.stream_type, s.version,
       coalesce((select e.version from public.events e where e.stream_id = s.stream_id order by e.version desc limit 1), 0),
       octet_length(s.snapshot_data::text), to_json(s.created_at at time zone 'UTC') #>> '{}',
       s.aggregate, s.state_version, s.code_hash, s.event_id,
       (select e.id from public.events e where e.stream_id = s.stream_id and e.version = s.version), s.snapshot_data
  from public.snapshots s
 where s.stream_id = $1
