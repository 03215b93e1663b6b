-- Appends to stream $1 at expected version $2 (-1 any, -2 exists); $3 is the default stream type, then arrays of ids,
-- types, schema versions, data, metadata, stream types and times. Version and position of each, in order.
select version, global_position
  from public.evstore_append($1, $2, $3, $4::uuid[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[])
