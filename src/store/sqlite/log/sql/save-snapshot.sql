-- Stores the snapshot of stream ?1, and returns 1 if it did: type ?2, data ?3, version ?4, aggregate ?5, state version ?6,
-- hash of the code ?7, id of its last event ?8. It replaces none of another program, and none of a later version, unless
-- that was of events that the stream does not have.
insert into snapshots as s
  (stream_id, stream_type, snapshot_data, version, aggregate, state_version, code_hash, event_id)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
on conflict (stream_id) do update
   set stream_type = excluded.stream_type, snapshot_data = excluded.snapshot_data, version = excluded.version,
       created_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z', aggregate = excluded.aggregate, state_version = excluded.state_version,
       code_hash = excluded.code_hash, event_id = excluded.event_id
 where s.aggregate is not null
   and (s.version <= excluded.version
        or not exists (select 1
                         from events e
                        where e.stream_id = s.stream_id and e.version = s.version and e.id = s.event_id))
returning 1
