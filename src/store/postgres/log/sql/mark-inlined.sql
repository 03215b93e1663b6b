-- Marks the events at positions $2 as contained in the rows of the projections $1, one each.
insert into public.evstore_inlined (projection, global_position)
select projection, global_position from unnest($1::text[], $2::bigint[]) as m(projection, global_position)
