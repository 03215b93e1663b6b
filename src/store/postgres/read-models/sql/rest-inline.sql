-- Makes appends leave the events of projection $1 to its runner for $2 milliseconds from now; 0 ends it.
update public.evstore_projections
   set inline_rests_until = clock_timestamp() + nullif($2::double precision, 0) * interval '1 millisecond'
 where name = $1
