-- Inserts rows of events, each with its version; positions are assigned in the order of the rows. Parameters: none.
copy public.events (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at) from stdin
