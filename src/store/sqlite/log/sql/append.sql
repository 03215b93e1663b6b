-- One event: id, stream, stream type, type, schema version, data, metadata, version, time (null: now). No rows; the position
-- is the last inserted row id.
insert into events (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
values (?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'))
