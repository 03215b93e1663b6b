-- One event, left out when its id is known: as append.sql. One change, or none.
insert into events (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
values (?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'))
on conflict (id) do nothing
