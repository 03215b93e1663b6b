-- Appends one event to stream $1 at expected version $2 (-1 any, -2 exists): id, type, schema version, data, metadata,
-- stream type and time. Returns version and position as a row in one column. Fails where row-level security hides events.
select public.evstore_append_event($1, $2, $3, $4, $5, $6, $7, $8, $9)
 where pg_catalog.set_config('row_security', 'off', true) is not null
