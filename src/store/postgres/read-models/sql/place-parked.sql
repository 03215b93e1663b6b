-- Gives the parked events of projection $1 that mark-parked.sql has marked their new numbers.
update public.evstore_parked
   set rebuild = -1 - rebuild
 where (projection = $1 or starts_with(projection, $1 || '#')) and rebuild < 0
