-- Reads the events of the ids $1, in any order. Columns as in cut-event.ts.
select id, global_position, version, schema_version, to_json(created_at at time zone 'UTC'), metadata, event_data,
       stream_type, event_type, stream_id
  from public.events
 where id = any($1::uuid[])
