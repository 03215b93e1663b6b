-- Appends leave the events of projection $1 to its runner for $2 milliseconds from now; with 0 no longer.
update public.evstore_projections
   set inline_rests_until = clock_timestamp() + nullif($2::double precision, 0) * interval '1 millisecond'
 where name = $1
