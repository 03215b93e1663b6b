-- The event of id $1, if there is one. Columns as in rows.ts.
select global_position, stream_id, version, event_type, schema_version, id, event_data::text, metadata::text, stream_type,
       to_json(created_at at time zone 'UTC') #>> '{}'
  from public.events
 where id = $1
