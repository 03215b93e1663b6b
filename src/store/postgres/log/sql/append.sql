-- Appends to stream $1 at expected version $2 (-1 any, -2 exists): arrays of ids, types, schema versions, data, metadata,
-- stream types and times, where an empty text is no time: a null in an array may be a text with array_nulls off. Returns
-- version and position of each, in order. Fails where row-level security hides events.
select version, global_position
  from public.evstore_append(
    case when pg_catalog.set_config('row_security', 'off', true) is not null then $1 end,
    $2, $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[],
    array(select case when pg_catalog.length(created_at) operator(pg_catalog.>) 0 then created_at end
            from pg_catalog.unnest($9::text[]) with ordinality as times(created_at, place) order by place))
