-- Arrays of streams, ids, types, schema versions, data, metadata, stream types and times. How many events were written
-- and how many streams are new.
select imported, new_streams
  from public.evstore_import($1::text[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[])
