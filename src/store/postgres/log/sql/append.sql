-- Appends to stream $1 at expected version $2 (-1 any, -2 exists): arrays of ids, types, schema versions, data, metadata,
-- stream types and times. Returns version and position of each, in order.
select version, global_position
  from public.evstore_append($1, $2, $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[])
